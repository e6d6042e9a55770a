package main

import (
	"crypto/rand"
	"encoding/hex"
	"regexp"
	"sync"
	"sync/atomic"
	"time"

	pb "cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

type server struct {
	rules         *faults
	mu            sync.RWMutex // never taken by who holds a queue's
	topics        map[string]*topic
	subscriptions map[string]*queue
}

type topic struct {
	config *pb.Topic
	queues map[string]*queue
}

// No receipt and no id of a message comes again after a restart.
var run = func() string {
	random := make([]byte, 6)
	rand.Read(random)
	return hex.EncodeToString(random)
}()

var serials atomic.Int64

func init() { serials.Store(time.Now().UnixMicro()) }

func newServer(rules *faults) *server {
	return &server{rules: rules, topics: map[string]*topic{}, subscriptions: map[string]*queue{}}
}

func (s *server) publisher() pb.PublisherServer   { return &publisher{server: s} }
func (s *server) subscriber() pb.SubscriberServer { return &subscriber{server: s} }

func (s *server) topic(name string) (*topic, error) {
	if t := s.topics[name]; t != nil {
		return t, nil
	}
	return nil, notFound(name)
}

func (s *server) queue(name string) (*queue, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if q := s.subscriptions[name]; q != nil {
		return q, nil
	}
	return nil, notFound(name)
}

func (s *server) backlogOf(subscription string) (figures, bool) {
	q, err := s.queue(subscription)
	if err != nil {
		return figures{}, false
	}
	return q.figures(), true
}

func notFound(name string) error {
	return status.Errorf(codes.NotFound, "Resource not found (resource=%s).", name)
}

func invalid(format string, values ...any) error {
	return status.Errorf(codes.InvalidArgument, format, values...)
}

var names = regexp.MustCompile(`^projects/[^/]+/(topics|subscriptions)/([A-Za-z][A-Za-z0-9_.~+%-]{2,254})$`)

func checkName(name, collection string) error {
	parts := names.FindStringSubmatch(name)
	if parts == nil || parts[1] != collection || len(parts[2]) > 3 && parts[2][:4] == "goog" {
		return invalid("Invalid [%s] name: (name=%s)", collection, name)
	}
	return nil
}
