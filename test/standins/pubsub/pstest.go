package main

import (
	"context"

	pb "cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"cloud.google.com/go/pubsub/v2/pstest"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
)

// ServePstest has Google's fake behind the same limits and the faults of calls. What is counted here of a subscription it does
// not tell.
func servePstest(to *grpc.Server, _ *faults) backlog {
	fake := &pstest.NewServer().GServer // it listens on a port of its own too, which nobody uses
	pb.RegisterPublisherServer(to, fake)
	pb.RegisterSubscriberServer(to, &smallerPulls{GServer: fake})
	return untold{}
}

type untold struct{}

func (untold) backlogOf(string) (figures, bool) { return figures{}, false }

// SmallerPulls gives back what is over the size of an answer.
type smallerPulls struct{ *pstest.GServer }

func (s *smallerPulls) Pull(ctx context.Context, in *pb.PullRequest) (*pb.PullResponse, error) {
	out, err := s.GServer.Pull(ctx, in)
	if err != nil {
		return nil, err
	}
	bytes, kept := 0, 0
	for kept < len(out.ReceivedMessages) && kept < mostMessages {
		bytes += proto.Size(out.ReceivedMessages[kept].Message)
		if kept > 0 && bytes > mostBytes {
			break
		}
		kept++
	}
	if rest := out.ReceivedMessages[kept:]; len(rest) > 0 {
		back := &pb.ModifyAckDeadlineRequest{Subscription: in.Subscription}
		for _, each := range rest {
			back.AckIds = append(back.AckIds, each.AckId)
		}
		if _, err := s.GServer.ModifyAckDeadline(ctx, back); err != nil {
			return nil, err
		}
	}
	return &pb.PullResponse{ReceivedMessages: out.ReceivedMessages[:kept]}, nil
}
