package main

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

const maxEntries = 10

type sent struct {
	Id                     string `json:",omitempty"`
	MessageId              string
	MD5OfMessageBody       string
	MD5OfMessageAttributes string `json:",omitempty"`
}

type failed struct {
	Id, Code, Message string
	SenderFault       bool
}

type outcomes[Success any] struct {
	Successful []Success
	Failed     []failed
}

type done struct{ Id string }

type received struct {
	MessageId, ReceiptHandle, Body, MD5OfBody string
	Attributes                                map[string]string    `json:",omitempty"`
	MessageAttributes                         map[string]attribute `json:",omitempty"`
	MD5OfMessageAttributes                    string               `json:",omitempty"`
}

func (s *server) sendMessage(_ *http.Request, in *request) (any, error) {
	q, err := s.queue(in)
	if err != nil {
		return nil, err
	}
	if err := in.content.check(q.mostBytes()); err != nil {
		return nil, err
	}
	m := newMessage(in.content)
	q.put(m)
	return sent{"", m.id, m.md5, m.md5OfAttr}, nil
}

func (s *server) sendMessageBatch(_ *http.Request, in *request) (any, error) {
	sum := 0
	for i := range in.Entries {
		sum += in.Entries[i].bytes()
	}
	most := 0
	var messages []*message
	return batch(s, in, func(q *queue) error {
		// The queue's own limit is a batch's too, and one message may be the batch.
		if most = q.mostBytes(); sum > most {
			return failure{"BatchRequestTooLong", "Batch requests cannot be longer than " + strconv.Itoa(most) + " bytes."}
		}
		return nil
	}, func(q *queue, e *entry) (sent, error) {
		if err := e.content.check(most); err != nil {
			return sent{}, err
		}
		m := newMessage(e.content)
		messages = append(messages, m)
		return sent{e.Id, m.id, m.md5, m.md5OfAttr}, nil
	}, func(q *queue) { q.put(messages...) })
}

func (q *queue) mostBytes() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.maxBytes
}

func (s *server) receiveMessage(r *http.Request, in *request) (any, error) {
	q, err := s.queue(in)
	if err != nil {
		return nil, err
	}
	q.mu.Lock()
	visibility, wait := q.visibility, q.wait
	q.mu.Unlock()
	most, err1 := within("MaxNumberOfMessages", in.MaxNumberOfMessages, 1, 1, maxEntries)
	visibility, err2 := within("VisibilityTimeout", in.VisibilityTimeout, visibility, 0, longestHold)
	wait, err3 := within("WaitTimeSeconds", in.WaitTimeSeconds, wait, 0, 20)
	for _, err := range []error{err1, err2, err3} {
		if err != nil {
			return nil, err
		}
	}
	taken := q.receive(r.Context(), most, time.Duration(visibility)*time.Second, time.Duration(wait)*time.Second)
	system := append(in.MessageSystemAttributeNames, in.AttributeNames...)
	messages := make([]received, len(taken))
	for i, each := range taken {
		one := received{MessageId: each.id, ReceiptHandle: each.receipt, Body: each.MessageBody, MD5OfBody: each.md5}
		one.Attributes = each.systemAttributes(system)
		if one.MessageAttributes = each.attributesNamed(in.MessageAttributeNames); len(one.MessageAttributes) == len(each.MessageAttributes) {
			one.MD5OfMessageAttributes = each.md5OfAttr
		} else {
			one.MD5OfMessageAttributes = md5OfAttributes(one.MessageAttributes)
		}
		messages[i] = one
	}
	if len(messages) == 0 {
		return struct{}{}, nil
	}
	return map[string][]received{"Messages": messages}, nil
}

func within(name string, given *int, otherwise, least, most int) (int, error) {
	if given == nil {
		return otherwise, nil
	}
	if *given < least || *given > most {
		return 0, invalid("Value %d for parameter %s is invalid. Reason: Must be between %d and %d, if provided.", *given, name, least, most)
	}
	return *given, nil
}

func (d delivery) systemAttributes(asked []string) map[string]string {
	if len(asked) == 0 {
		return nil
	}
	some := map[string]string{}
	add := func(name, value string) {
		if value != "" && (slices.Contains(asked, name) || slices.Contains(asked, "All")) {
			some[name] = value
		}
	}
	add("SenderId", "AIDAIENQZJOLO23YVJ4VO")
	add("SentTimestamp", strconv.FormatInt(d.sent.UnixMilli(), 10))
	add("ApproximateReceiveCount", strconv.Itoa(d.count))
	add("ApproximateFirstReceiveTimestamp", strconv.FormatInt(d.first.UnixMilli(), 10))
	add("MessageGroupId", d.MessageGroupId)
	add("DeadLetterQueueSourceArn", d.source)
	return some
}

func (m *message) attributesNamed(asked []string) map[string]attribute {
	if slices.Contains(asked, "All") || slices.Contains(asked, ".*") {
		return m.MessageAttributes
	}
	some := map[string]attribute{}
	for name, value := range m.MessageAttributes {
		if slices.ContainsFunc(asked, func(each string) bool {
			prefix, many := strings.CutSuffix(each, ".*")
			return each == name || many && strings.HasPrefix(name, prefix+".")
		}) {
			some[name] = value
		}
	}
	return some
}

func (s *server) deleteMessage(_ *http.Request, in *request) (any, error) {
	q, err := s.queue(in)
	if err != nil {
		return nil, err
	}
	return nil, q.remove(in.ReceiptHandle)
}

func (s *server) deleteMessageBatch(_ *http.Request, in *request) (any, error) {
	return batch(s, in, nil, func(q *queue, e *entry) (done, error) { return done{e.Id}, q.remove(e.ReceiptHandle) }, nil)
}

func (s *server) changeVisibility(_ *http.Request, in *request) (any, error) {
	q, err := s.queue(in)
	if err != nil {
		return nil, err
	}
	if in.VisibilityTimeout == nil {
		return nil, missing("VisibilityTimeout")
	}
	return nil, q.hide(in.ReceiptHandle, *in.VisibilityTimeout)
}

func (s *server) changeVisibilityBatch(_ *http.Request, in *request) (any, error) {
	return batch(s, in, nil, func(q *queue, e *entry) (done, error) {
		return done{e.Id}, q.hide(e.ReceiptHandle, e.VisibilityTimeout)
	}, nil)
}

// Batch refuses a batch that is wrong as a whole; else each entry has an outcome of its own, under HTTP 200.
func batch[Success any](s *server, in *request, whole func(*queue) error, each func(*queue, *entry) (Success, error), end func(*queue)) (any, error) {
	q, err := s.queue(in)
	if err == nil {
		err = checkEntries(in.Entries)
	}
	if err == nil && whole != nil {
		err = whole(q)
	}
	if err != nil {
		return nil, err
	}
	out := outcomes[Success]{Successful: []Success{}, Failed: []failed{}}
	for i := range in.Entries {
		e := &in.Entries[i]
		if one, err := each(q, e); err == nil {
			out.Successful = append(out.Successful, one)
		} else {
			refused := err.(failure)
			out.Failed = append(out.Failed, failed{e.Id, refused.code, refused.text, true})
		}
	}
	if end != nil {
		end(q)
	}
	return out, nil
}

func checkEntries(entries []entry) error {
	if len(entries) == 0 {
		return failure{"EmptyBatchRequest", "There should be at least one entry in the request."}
	}
	if len(entries) > maxEntries {
		return failure{"TooManyEntriesInBatchRequest", "Maximum number of entries per request are 10. You have sent " + strconv.Itoa(len(entries)) + "."}
	}
	for i := range entries {
		id := entries[i].Id
		if id == "" || len(id) > 80 || !isMadeOf(id, "_-") {
			return failure{"InvalidBatchEntryId", "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long."}
		}
		if slices.ContainsFunc(entries[:i], func(e entry) bool { return e.Id == id }) {
			return failure{"BatchEntryIdsNotDistinct", "Id " + id + " repeated."}
		}
	}
	return nil
}
