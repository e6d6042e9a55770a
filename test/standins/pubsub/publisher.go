package main

import (
	"context"
	"fmt"
	"time"

	pb "cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/timestamppb"
)

type publisher struct {
	pb.UnimplementedPublisherServer
	*server
}

func (p *publisher) CreateTopic(_ context.Context, wanted *pb.Topic) (*pb.Topic, error) {
	if err := checkName(wanted.Name, "topics"); err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.topics[wanted.Name] != nil {
		return nil, status.Errorf(codes.AlreadyExists, "Resource already exists in the project (resource=%s).", wanted.Name)
	}
	wanted.State = pb.Topic_ACTIVE
	p.topics[wanted.Name] = &topic{config: wanted, queues: map[string]*queue{}}
	return wanted, nil
}

func (p *publisher) GetTopic(_ context.Context, in *pb.GetTopicRequest) (*pb.Topic, error) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	t, err := p.topic(in.Topic)
	if err != nil {
		return nil, err
	}
	return t.config, nil
}

func (p *publisher) UpdateTopic(_ context.Context, in *pb.UpdateTopicRequest) (*pb.Topic, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	t, err := p.topic(in.GetTopic().GetName())
	if err != nil {
		return nil, err
	}
	changed := proto.CloneOf(t.config)
	if err := copyFields(changed, in.Topic, in.UpdateMask.GetPaths(), changeableOfTopic); err != nil {
		return nil, err
	}
	t.config = changed
	return changed, nil
}

// DeleteTopic leaves its subscriptions, with what they hold.
func (p *publisher) DeleteTopic(_ context.Context, in *pb.DeleteTopicRequest) (*emptypb.Empty, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	t, err := p.topic(in.Topic)
	if err != nil {
		return nil, err
	}
	delete(p.topics, in.Topic)
	for _, q := range t.queues {
		q.change(func(config *pb.Subscription) { config.Topic = "_deleted-topic_" })
	}
	return &emptypb.Empty{}, nil
}

func (p *publisher) ListTopics(_ context.Context, in *pb.ListTopicsRequest) (*pb.ListTopicsResponse, error) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	out := &pb.ListTopicsResponse{}
	for _, name := range namesIn(p.topics, in.Project) {
		out.Topics = append(out.Topics, p.topics[name].config)
	}
	return out, nil
}

func (p *publisher) ListTopicSubscriptions(_ context.Context, in *pb.ListTopicSubscriptionsRequest) (*pb.ListTopicSubscriptionsResponse, error) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	t, err := p.topic(in.Topic)
	if err != nil {
		return nil, err
	}
	return &pb.ListTopicSubscriptionsResponse{Subscriptions: namesIn(t.queues, "projects")}, nil
}

func (p *publisher) Publish(_ context.Context, in *pb.PublishRequest) (*pb.PublishResponse, error) {
	ids := make([]string, len(in.Messages))
	err := p.put(in.Topic, in.Messages, func(i int, id string) { ids[i] = id })
	if err != nil {
		return nil, err
	}
	return &pb.PublishResponse{MessageIds: ids}, nil
}

// Put gives each message an id and a time, and to each subscription.
func (s *server) put(name string, given []*pb.PubsubMessage, onID func(int, string)) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	t, err := s.topic(name)
	if err != nil {
		return err
	}
	now := time.Now()
	var prompt, late []*pb.PubsubMessage
	var delay time.Duration
	for i, each := range given {
		each.MessageId = fmt.Sprint(serials.Add(1))
		each.PublishTime = timestamppb.New(now)
		onID(i, each.MessageId)
		if r := s.rules.item("late", "Publish", name); r != nil {
			late, delay = append(late, each), r.delay
		} else {
			prompt = append(prompt, each)
		}
		if s.rules.item("duplicate", "Publish", name) != nil {
			// As after a publisher's own retry: the same message under another id.
			twin := proto.CloneOf(each)
			twin.MessageId = fmt.Sprint(serials.Add(1))
			prompt = append(prompt, twin)
		}
	}
	for _, q := range t.queues {
		q.put(prompt, 0)
		q.put(late, delay)
	}
	return nil
}
