package main

import (
	"maps"
	"strconv"
	"strings"

	pb "cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
)

// Bury publishes to the dead letters what was tried often enough, once each. What cannot be stays.
func (q *queue) bury(dead []*item, config *pb.Subscription) {
	parts := strings.Split(config.Name, "/")
	for _, m := range dead {
		attributes := maps.Clone(m.message.Attributes)
		if attributes == nil {
			attributes = map[string]string{}
		}
		attributes["CloudPubSubDeadLetterSourceDeliveryCount"] = strconv.Itoa(m.attempts)
		attributes["CloudPubSubDeadLetterSourceSubscription"] = parts[3]
		attributes["CloudPubSubDeadLetterSourceSubscriptionProject"] = parts[1]
		attributes["CloudPubSubDeadLetterSourceTopicPublishTime"] = m.message.PublishTime.AsTime().Format("2006-01-02T15:04:05.000-07:00")
		letter := &pb.PubsubMessage{Data: m.message.Data, Attributes: attributes, OrderingKey: m.message.OrderingKey}
		err := error(nil)
		if config.DeadLetterPolicy != nil {
			err = q.server.put(config.DeadLetterPolicy.DeadLetterTopic, []*pb.PubsubMessage{letter}, func(int, string) {})
		}
		if err != nil || config.DeadLetterPolicy == nil {
			q.mu.Lock()
			q.items[m.serial] = m
			q.show(m)
			q.unlock()
		}
	}
}
