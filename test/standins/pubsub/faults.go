package main

import (
	"context"
	"fmt"
	"math/rand"
	"strings"
	"sync"
	"time"

	pb "cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// A rule is a fault, and which calls it is done to. Kinds:
//
//	call       the call is delayed, fails with a code or is never answered; `after`: once it has been done
//	ackids     receipts are answered as those that an exactly-once subscription does not take; `after`: done even so
//	redeliver  messages come again although their acknowledgement was taken
//	lapse      the lease of messages ends as soon as they are given
//	duplicate  messages are published twice, under two ids
//	late       messages can be had only after a delay
//	deny       permissions are not granted
//
// Of calls it counts calls, of the others receipts, messages and permissions.
type rule struct {
	id            int
	kind          string
	method        string // any, where empty
	resource      string // the name of a topic or subscription, or how it begins; any, where empty
	code          codes.Code
	reason        string
	delay         time.Duration
	times, nth    int
	share         float64
	after, hang   bool
	quote         bool // the error says all that was asked
	random        *rand.Rand
	matched       int
	chosen        int
	happenedTimes int
}

type faults struct {
	mu    sync.Mutex
	rules []*rule
	made  int
}

// The caller holds the lock.
func (r *rule) chooses(kind, method, resource string) bool {
	if r.kind != kind || r.method != "" && r.method != method || !strings.HasPrefix(resource, r.resource) {
		return false
	}
	r.matched++
	if r.nth > 0 && r.matched != r.nth || r.times > 0 && r.chosen >= r.times || r.share < 1 && r.random.Float64() >= r.share {
		return false
	}
	r.chosen++
	return true
}

func (f *faults) choose(kind, method, resource string) *rule {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range f.rules {
		if r.chooses(kind, method, resource) {
			return r
		}
	}
	return nil
}

// Item is a rule that chooses this one, and has now happened.
func (f *faults) item(kind, method, resource string) *rule {
	r := f.choose(kind, method, resource)
	if r != nil {
		f.happened(r)
	}
	return r
}

func (f *faults) happened(r *rule) {
	f.mu.Lock()
	defer f.mu.Unlock()
	r.happenedTimes++
}

func (f *faults) unary(ctx context.Context, request any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	r := f.choose("call", methodOf(info), resourceOf(request))
	if r == nil {
		return next(ctx, request)
	}
	if !r.after {
		if err := f.fail(ctx, r, request); err != nil {
			return nil, err
		}
		return next(ctx, request)
	}
	answer, err := next(ctx, request)
	if err != nil {
		return nil, err
	}
	// It is lost on the way to a caller who may be there still.
	onUndelivered(ctx, nil)
	if err := f.fail(ctx, r, request); err != nil {
		return nil, err
	}
	return answer, nil
}

// Fail is nil where the rule only delays.
func (f *faults) fail(ctx context.Context, r *rule, request any) error {
	if r.hang {
		f.happened(r)
		<-ctx.Done()
		return status.FromContextError(ctx.Err()).Err()
	}
	if r.delay > 0 {
		select {
		case <-time.After(r.delay):
		case <-ctx.Done():
			return status.FromContextError(ctx.Err()).Err()
		}
	}
	f.happened(r)
	if r.code == codes.OK {
		return nil
	}
	said := "a fault of the test"
	if r.quote {
		said = fmt.Sprint(request)
	}
	return status.Error(r.code, said)
}

func methodOf(info *grpc.UnaryServerInfo) string {
	return info.FullMethod[strings.LastIndexByte(info.FullMethod, '/')+1:]
}

// ResourceOf is the full name of the topic or subscription that a call is about.
func resourceOf(request any) string {
	switch in := request.(type) {
	case *pb.UpdateTopicRequest:
		return in.GetTopic().GetName()
	case *pb.UpdateSubscriptionRequest:
		return in.GetSubscription().GetName()
	case interface{ GetSubscription() string }:
		return in.GetSubscription()
	case interface{ GetName() string }:
		return in.GetName()
	case interface{ GetTopic() string }:
		return in.GetTopic()
	case interface{ GetResource() string }:
		return in.GetResource()
	case interface{ GetProject() string }:
		return in.GetProject()
	}
	return ""
}
