package main

import (
	"maps"
	"slices"
	"strings"
	"time"

	pb "cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/durationpb"
)

const day = 24 * time.Hour

var changeableOfTopic = []string{"labels", "message_retention_duration", "message_storage_policy", "kms_key_name"}

// Ordering is settled when a subscription is made.
var changeableOfSubscription = []string{"ack_deadline_seconds", "dead_letter_policy", "enable_exactly_once_delivery",
	"expiration_policy", "labels", "message_retention_duration", "retain_acked_messages", "retry_policy"}

func withDefaults(given *pb.Subscription) *pb.Subscription {
	all := proto.CloneOf(given)
	all.State = pb.Subscription_ACTIVE
	if all.AckDeadlineSeconds == 0 {
		all.AckDeadlineSeconds = 10
	}
	if all.MessageRetentionDuration == nil {
		all.MessageRetentionDuration = durationpb.New(7 * day)
	}
	if all.ExpirationPolicy == nil {
		all.ExpirationPolicy = &pb.ExpirationPolicy{Ttl: durationpb.New(31 * day)}
	}
	if all.PushConfig == nil {
		all.PushConfig = &pb.PushConfig{}
	}
	if policy := all.DeadLetterPolicy; policy != nil && policy.MaxDeliveryAttempts == 0 {
		policy.MaxDeliveryAttempts = 5
	}
	if policy := all.RetryPolicy; policy != nil {
		if policy.MinimumBackoff == nil {
			policy.MinimumBackoff = durationpb.New(10 * time.Second)
		}
		if policy.MaximumBackoff == nil {
			policy.MaximumBackoff = durationpb.New(600 * time.Second)
		}
	}
	return all
}

// The caller holds the server's lock.
func (s *server) checkSubscription(c *pb.Subscription) error {
	if c.AckDeadlineSeconds < 10 || c.AckDeadlineSeconds > 600 {
		return invalid("Invalid ack deadline given: (ack_deadline_seconds=%d). It must be between 10 and 600.", c.AckDeadlineSeconds)
	}
	if kept := c.MessageRetentionDuration.AsDuration(); kept < 10*time.Minute || kept > 31*day {
		return invalid("The message_retention_duration must be between 10 minutes and 31 days.")
	}
	if ttl := c.ExpirationPolicy.Ttl; ttl != nil && ttl.AsDuration() != 0 && ttl.AsDuration() < day {
		return invalid("The expiration_policy.ttl must be at least one day.")
	}
	if policy := c.RetryPolicy; policy != nil {
		least, most := policy.MinimumBackoff.AsDuration(), policy.MaximumBackoff.AsDuration()
		if least < 0 || least > most || most > 600*time.Second {
			return invalid("The retry_policy must be between 0 and 600 seconds.")
		}
	}
	if policy := c.DeadLetterPolicy; policy != nil {
		if _, err := s.topic(policy.DeadLetterTopic); err != nil {
			return err
		}
		if policy.MaxDeliveryAttempts < 5 || policy.MaxDeliveryAttempts > 100 {
			return invalid("max_delivery_attempts must be between 5 and 100.")
		}
	}
	if c.Filter != "" || c.PushConfig.PushEndpoint != "" || c.BigqueryConfig != nil || c.CloudStorageConfig != nil {
		return invalid("the stand-in knows only pull subscriptions, without filters")
	}
	return nil
}

// CopyFields takes over what a mask names.
func copyFields(to, from proto.Message, paths, changeable []string) error {
	if len(paths) == 0 {
		return invalid("The update_mask must name a field.")
	}
	target, source := to.ProtoReflect(), from.ProtoReflect()
	for _, path := range paths {
		name, _, _ := strings.Cut(path, ".")
		if !slices.Contains(changeable, name) {
			return invalid("Invalid update_mask provided in the request: (field=%s).", path)
		}
		field := target.Descriptor().Fields().ByName(protoreflect.Name(name))
		if source.Has(field) {
			target.Set(field, source.Get(field))
		} else {
			target.Clear(field)
		}
	}
	return nil
}

func namesIn[Value any](all map[string]Value, parent string) []string {
	within := slices.DeleteFunc(slices.Collect(maps.Keys(all)), func(name string) bool {
		return !strings.HasPrefix(name, parent+"/")
	})
	slices.Sort(within)
	return within
}
