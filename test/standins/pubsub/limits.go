package main

import (
	"context"
	"strings"

	pb "cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
)

// Google: Pub/Sub, "Quotas and limits", resource limits. A megabyte has a thousand kilobytes there, of a thousand bytes.
const (
	mostBytes       = 10_000_000 // of a publish request, and of the messages of a pull
	mostMessages    = 1_000      // of both
	mostOfReceipts  = 512 * 1024 // of a request that names ack ids
	longestDeadline = 600        // seconds
	mostAttributes  = 100
	longestKey      = 256
	longestValue    = 1_024
	longestOrdering = 1_024
)

// Limits refuses what the service refuses, before any engine sees it.
func limits(ctx context.Context, request any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	var err error
	switch in := request.(type) {
	case *pb.PublishRequest:
		err = checkPublish(in)
	case *pb.PullRequest:
		if in.MaxMessages <= 0 {
			err = invalid("The value for max_messages must be greater than 0.")
		}
	case *pb.AcknowledgeRequest:
		err = checkReceipts(in, in.AckIds)
	case *pb.ModifyAckDeadlineRequest:
		if err = checkReceipts(in, in.AckIds); in.AckDeadlineSeconds < 0 || in.AckDeadlineSeconds > longestDeadline {
			err = invalid("Invalid ack deadline given: (ack_deadline_seconds=%d). It must be between 0 and 600.", in.AckDeadlineSeconds)
		}
	}
	if err != nil {
		return nil, err
	}
	return next(ctx, request)
}

func checkReceipts(in proto.Message, ids []string) error {
	if len(ids) == 0 {
		return invalid("No ack ids specified.")
	}
	if size := proto.Size(in); size > mostOfReceipts {
		return invalid("Request payload size exceeds the limit: %d bytes.", mostOfReceipts)
	}
	return nil
}

func checkPublish(in *pb.PublishRequest) error {
	if len(in.Messages) == 0 || len(in.Messages) > mostMessages {
		return invalid("The value for message_count is %d. You must pass between 1 and %d messages.", len(in.Messages), mostMessages)
	}
	if size := proto.Size(in); size > mostBytes {
		return invalid("The value for message_size is %d. It must be at most %d.", size, mostBytes)
	}
	for _, each := range in.Messages {
		if err := checkMessage(each); err != nil {
			return err
		}
	}
	return nil
}

func checkMessage(m *pb.PubsubMessage) error {
	if len(m.Data) == 0 && len(m.Attributes) == 0 {
		return invalid("One or more messages in the publish request is empty. Each message must contain either non-empty data, or at least one attribute.")
	}
	if len(m.OrderingKey) > longestOrdering {
		return invalid("The ordering key has %d bytes; at most %d are allowed.", len(m.OrderingKey), longestOrdering)
	}
	if len(m.Attributes) > mostAttributes {
		return invalid("A message has %d attributes; at most %d are allowed.", len(m.Attributes), mostAttributes)
	}
	for key, value := range m.Attributes {
		if key == "" || len(key) > longestKey || strings.HasPrefix(key, "goog") {
			return invalid("A message has an attribute whose key is empty, longer than %d bytes, or begins with goog.", longestKey)
		}
		if len(value) > longestValue {
			return invalid("A message has an attribute whose value has %d bytes; at most %d are allowed.", len(value), longestValue)
		}
	}
	return nil
}
