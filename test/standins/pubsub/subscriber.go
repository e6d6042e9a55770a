package main

import (
	"context"
	"time"

	pb "cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"
)

type subscriber struct {
	pb.UnimplementedSubscriberServer
	*server
}

func (s *subscriber) CreateSubscription(_ context.Context, given *pb.Subscription) (*pb.Subscription, error) {
	wanted := withDefaults(given)
	if err := checkName(wanted.Name, "subscriptions"); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.subscriptions[wanted.Name] != nil {
		return nil, status.Errorf(codes.AlreadyExists, "Resource already exists in the project (resource=%s).", wanted.Name)
	}
	t, err := s.topic(wanted.Topic)
	if err != nil {
		return nil, err
	}
	if err := s.checkSubscription(wanted); err != nil {
		return nil, err
	}
	q := newQueue(wanted, s.server)
	s.subscriptions[wanted.Name] = q
	t.queues[wanted.Name] = q
	return wanted, nil
}

func (s *subscriber) GetSubscription(_ context.Context, in *pb.GetSubscriptionRequest) (*pb.Subscription, error) {
	q, err := s.queue(in.Subscription)
	if err != nil {
		return nil, err
	}
	return q.settings(), nil
}

func (s *subscriber) UpdateSubscription(_ context.Context, in *pb.UpdateSubscriptionRequest) (*pb.Subscription, error) {
	q, err := s.queue(in.GetSubscription().GetName())
	if err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	changed := proto.CloneOf(q.settings())
	if err := copyFields(changed, in.Subscription, in.UpdateMask.GetPaths(), changeableOfSubscription); err != nil {
		return nil, err
	}
	changed = withDefaults(changed)
	if err := s.checkSubscription(changed); err != nil {
		return nil, err
	}
	q.change(func(config *pb.Subscription) {
		proto.Reset(config)
		proto.Merge(config, changed)
	})
	return changed, nil
}

func (s *subscriber) DeleteSubscription(_ context.Context, in *pb.DeleteSubscriptionRequest) (*emptypb.Empty, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q := s.subscriptions[in.Subscription]
	if q == nil {
		return nil, notFound(in.Subscription)
	}
	delete(s.subscriptions, in.Subscription)
	if t := s.topics[q.settings().Topic]; t != nil {
		delete(t.queues, in.Subscription)
	}
	q.close()
	return &emptypb.Empty{}, nil
}

func (s *subscriber) ListSubscriptions(_ context.Context, in *pb.ListSubscriptionsRequest) (*pb.ListSubscriptionsResponse, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := &pb.ListSubscriptionsResponse{}
	for _, name := range namesIn(s.subscriptions, in.Project) {
		out.Subscriptions = append(out.Subscriptions, s.subscriptions[name].settings())
	}
	return out, nil
}

// Seek to a time gives up what was published before it; nothing that was acknowledged comes again.
func (s *subscriber) Seek(_ context.Context, in *pb.SeekRequest) (*pb.SeekResponse, error) {
	q, err := s.queue(in.Subscription)
	if err != nil {
		return nil, err
	}
	if in.GetTime() == nil {
		return nil, status.Error(codes.Unimplemented, "the stand-in seeks to times only")
	}
	q.purge(in.GetTime().AsTime())
	return &pb.SeekResponse{}, nil
}

const (
	longestPull = 90 * time.Second // of a caller without a deadline
	lastLook    = 20 * time.Millisecond
)

func (s *subscriber) Pull(ctx context.Context, in *pb.PullRequest) (*pb.PullResponse, error) {
	q, err := s.queue(in.Subscription)
	if err != nil {
		return nil, err
	}
	until := time.Now().Add(longestPull)
	deadline, hurried := ctx.Deadline()
	if hurried {
		// What is leased at the last moment comes too late.
		until = deadline.Add(-lastLook)
	}
	waiting, end := context.WithDeadline(ctx, until)
	defer end()
	//lint:ignore SA1019 clients may still ask for it
	taken, err := q.pull(waiting, min(int(in.MaxMessages), mostMessages), in.ReturnImmediately)
	if err != nil {
		return nil, err
	}
	if len(taken) == 0 && hurried && waiting.Err() != nil {
		return nil, status.FromContextError(waiting.Err()).Err()
	}
	onUndelivered(ctx, func() { q.takeBack(taken) })
	return &pb.PullResponse{ReceivedMessages: taken}, nil
}

func (s *subscriber) Acknowledge(_ context.Context, in *pb.AcknowledgeRequest) (*emptypb.Empty, error) {
	q, err := s.queue(in.Subscription)
	if err != nil {
		return nil, err
	}
	return &emptypb.Empty{}, q.settle("Acknowledge", in.AckIds, func(m *item) {
		if s.rules.item("redeliver", "Acknowledge", in.Subscription) != nil {
			q.release(m)
		} else {
			q.remove(m)
		}
	})
}

func (s *subscriber) ModifyAckDeadline(_ context.Context, in *pb.ModifyAckDeadlineRequest) (*emptypb.Empty, error) {
	q, err := s.queue(in.Subscription)
	if err != nil {
		return nil, err
	}
	until := time.Now().Add(time.Duration(in.AckDeadlineSeconds) * time.Second)
	return &emptypb.Empty{}, q.settle("ModifyAckDeadline", in.AckIds, func(m *item) {
		if in.AckDeadlineSeconds == 0 {
			q.release(m)
		} else {
			q.extend(m, until)
		}
	})
}
