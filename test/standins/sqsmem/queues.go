package main

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	account     = "000000000000"
	arnPrefix   = "arn:aws:sqs:us-east-1:" + account + ":"
	longestHold = 12 * 60 * 60 // seconds
)

type request struct {
	QueueName, QueueUrl, QueueNamePrefix string
	// Of a queue in some operations, a list of names in another.
	Attributes                         map[string]string
	AttributeNames                     []string
	MessageSystemAttributeNames        []string
	MessageAttributeNames              []string
	MaxNumberOfMessages                *int
	VisibilityTimeout, WaitTimeSeconds *int
	ReceiptHandle                      string
	Entries                            []entry
	content
}

type entry struct {
	Id                string
	ReceiptHandle     string
	VisibilityTimeout int
	content
}

// Attributes are what was set of a queue, and those of its numbers that are used here.
type attributes struct {
	set                        map[string]string
	visibility, wait, maxBytes int
	redrive                    redrive
	created, modified          time.Time
}

type redrive struct {
	target *queue
	after  int
}

var defaults = map[string]string{
	"VisibilityTimeout": "30", "ReceiveMessageWaitTimeSeconds": "0", "DelaySeconds": "0",
	"MaximumMessageSize": strconv.Itoa(maxMessageBytes), "MessageRetentionPeriod": "345600", "SqsManagedSseEnabled": "true",
}

var ranges = map[string][2]int{
	"VisibilityTimeout": {0, longestHold}, "ReceiveMessageWaitTimeSeconds": {0, 20}, "DelaySeconds": {0, 0},
	"MaximumMessageSize": {1024, maxMessageBytes}, "MessageRetentionPeriod": {60, 1_209_600},
}

var others = []string{"Policy", "RedrivePolicy", "RedriveAllowPolicy", "SqsManagedSseEnabled", "KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds"}

// With is the attributes after these were set.
func (s *server) with(before attributes, given map[string]string) (attributes, error) {
	after := before
	after.set = maps.Clone(before.set)
	after.modified = time.Now()
	for name, value := range given {
		limits, number := ranges[name]
		if !number && !slices.Contains(others, name) {
			return after, failure{"InvalidAttributeName", "Unknown Attribute " + name + "."}
		}
		if n, err := strconv.Atoi(value); number && (err != nil || n < limits[0] || n > limits[1]) {
			return after, failure{"InvalidAttributeValue", "Invalid value for the parameter " + name + "."}
		}
		if value == "" {
			delete(after.set, name)
		} else {
			after.set[name] = value
		}
	}
	after.visibility, _ = strconv.Atoi(after.set["VisibilityTimeout"])
	after.wait, _ = strconv.Atoi(after.set["ReceiveMessageWaitTimeSeconds"])
	after.maxBytes, _ = strconv.Atoi(after.set["MaximumMessageSize"])
	var err error
	after.redrive, err = s.redriveOf(after.set["RedrivePolicy"])
	return after, err
}

func (s *server) redriveOf(policy string) (redrive, error) {
	if policy == "" {
		return redrive{}, nil
	}
	var told struct {
		DeadLetterTargetArn string
		MaxReceiveCount     json.Number
	}
	err := json.Unmarshal([]byte(policy), &told)
	after, notNumber := strconv.Atoi(told.MaxReceiveCount.String())
	target := s.queues[strings.TrimPrefix(told.DeadLetterTargetArn, arnPrefix)]
	if err != nil || notNumber != nil || after < 1 || after > 1000 || target == nil {
		return redrive{}, invalid("Value %s for parameter RedrivePolicy is invalid.", policy)
	}
	return redrive{target, after}, nil
}

func (q *queue) arn() string { return arnPrefix + q.name }

// The address by which the client reached us, whoever stands between.
func (q *queue) url(r *http.Request) string { return "http://" + r.Host + "/" + account + "/" + q.name }

func (s *server) queue(in *request) (*queue, error) {
	name := in.QueueName
	if name == "" {
		name = in.QueueUrl[strings.LastIndexByte(in.QueueUrl, '/')+1:]
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if q := s.queues[name]; q != nil {
		return q, nil
	}
	return nil, failure{"QueueDoesNotExist", "The specified queue does not exist."}
}

func (s *server) createQueue(r *http.Request, in *request) (any, error) {
	if in.QueueName == "" || len(in.QueueName) > 80 || !isMadeOf(in.QueueName, "_-") {
		return nil, invalid("Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	wanted, err := s.with(attributes{set: defaults, created: time.Now()}, in.Attributes)
	if err != nil {
		return nil, err
	}
	q := s.queues[in.QueueName]
	if q == nil {
		q = newQueue(in.QueueName, wanted, s.inFlight)
		s.queues[in.QueueName] = q
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	for name := range in.Attributes {
		if q.set[name] != in.Attributes[name] {
			return nil, failure{"QueueNameExists", "A queue already exists with the same name and a different value for attribute " + name}
		}
	}
	return map[string]string{"QueueUrl": q.url(r)}, nil
}

func (s *server) deleteQueue(_ *http.Request, in *request) (any, error) {
	q, err := s.queue(in)
	if err == nil {
		s.mu.Lock()
		delete(s.queues, q.name)
		s.mu.Unlock()
	}
	return nil, err
}

func (s *server) getQueueURL(r *http.Request, in *request) (any, error) {
	q, err := s.queue(in)
	if err != nil {
		return nil, err
	}
	return map[string]string{"QueueUrl": q.url(r)}, nil
}

func (s *server) listQueues(r *http.Request, in *request) (any, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	urls := []string{}
	for name, q := range s.queues {
		if strings.HasPrefix(name, in.QueueNamePrefix) {
			urls = append(urls, q.url(r))
		}
	}
	slices.Sort(urls)
	return map[string][]string{"QueueUrls": urls}, nil
}

func (s *server) getQueueAttributes(_ *http.Request, in *request) (any, error) {
	q, err := s.queue(in)
	if err != nil {
		return nil, err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.lapse(time.Now())
	all := maps.Clone(q.set)
	all["QueueArn"] = q.arn()
	all["ApproximateNumberOfMessages"] = strconv.Itoa(q.waiting)
	all["ApproximateNumberOfMessagesNotVisible"] = strconv.Itoa(len(q.hidden))
	all["ApproximateNumberOfMessagesDelayed"] = "0"
	all["CreatedTimestamp"] = strconv.FormatInt(q.created.Unix(), 10)
	all["LastModifiedTimestamp"] = strconv.FormatInt(q.modified.Unix(), 10)
	asked := map[string]string{}
	for _, name := range in.AttributeNames {
		if name == "All" {
			return map[string]any{"Attributes": all}, nil
		}
		if value, known := all[name]; known {
			asked[name] = value
		} else if !slices.Contains(others, name) {
			return nil, failure{"InvalidAttributeName", "Unknown Attribute " + name + "."}
		}
	}
	return map[string]any{"Attributes": asked}, nil
}

func (s *server) setQueueAttributes(_ *http.Request, in *request) (any, error) {
	q, err := s.queue(in)
	if err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	q.mu.Lock()
	defer q.mu.Unlock()
	changed, err := s.with(q.attributes, in.Attributes)
	if err == nil {
		q.attributes = changed
	}
	return nil, err
}

func (s *server) purgeQueue(_ *http.Request, in *request) (any, error) {
	q, err := s.queue(in)
	if err != nil {
		return nil, err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.clear()
	return nil, nil
}
