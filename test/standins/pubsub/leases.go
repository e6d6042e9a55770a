package main

import (
	"fmt"
	"strings"
	"time"

	pb "cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
)

// Take leases what waits: of one answer no more than it may hold, but one message of any size.
func (q *queue) take(now time.Time, most int) []*pb.ReceivedMessage {
	q.lapse(now)
	deadline := now.Add(time.Duration(q.config.AckDeadlineSeconds) * time.Second)
	oldest := now.Add(-q.config.MessageRetentionDuration.AsDuration())
	var taken []*pb.ReceivedMessage
	bytes := 0
	// Whether it was the last that fits is told by what did not fit.
	lease := func(m *item) bool {
		if m.message.PublishTime.AsTime().Before(oldest) {
			q.drop(m)
			return true
		}
		if len(taken) == most || len(taken) > 0 && bytes+m.bytes > mostBytes {
			return false
		}
		bytes += m.bytes
		q.waiting--
		m.attempts++
		m.delivery = serials.Add(1)
		until := deadline
		if q.server.rules.item("lapse", "Pull", q.config.Name) != nil {
			until = now
		}
		q.time(m, until)
		given := &pb.ReceivedMessage{AckId: receiptOf(m), Message: m.message}
		if q.config.DeadLetterPolicy != nil {
			given.DeliveryAttempt = int32(m.attempts)
		}
		taken = append(taken, given)
		return true
	}
	for q.head < len(q.ready) && len(taken) < most {
		next := q.ready[q.head]
		if next.line != nil {
			if !q.takeLine(next.line, lease) {
				break
			}
		} else if next.item.place == waits && !lease(next.item) {
			break
		}
		q.ready[q.head] = entry{}
		q.head++
	}
	if q.head > 4096 && q.head*2 > len(q.ready) {
		q.ready, q.head = append([]entry(nil), q.ready[q.head:]...), 0
	}
	return taken
}

// False: nothing of it fits, and it stays where it is.
func (q *queue) takeLine(l *line, lease func(*item) bool) bool {
	all, count := l.waiting, 0
	for count < len(all) && lease(all[count]) {
		if all[count].place >= 0 {
			count++
		} else {
			all = l.waiting // it was dropped
		}
	}
	l.waiting = l.waiting[count:]
	if count == 0 && len(l.waiting) > 0 {
		return false
	}
	l.offered = false
	q.offer(l)
	return true
}

// Release gives a message back: its lease has ended without an acknowledgement. What is leased of its ordering key behind it
// comes again after it.
func (q *queue) release(m *item) {
	behind := m.line.after(m)
	q.untime(m)
	m.delivery = 0
	policy, retry := q.config.DeadLetterPolicy, q.config.RetryPolicy
	switch {
	case policy != nil && m.attempts >= int(policy.MaxDeliveryAttempts):
		delete(q.items, m.serial)
		q.dead = append(q.dead, m)
	case retry != nil:
		least, most := retry.MinimumBackoff.AsDuration(), retry.MaximumBackoff.AsDuration()
		q.time(m, time.Now().Add(min(most, least<<min(m.attempts-1, 16))))
	default:
		q.show(m)
	}
	for _, each := range behind {
		q.untime(each)
		q.show(each)
	}
	q.offer(m.line)
}

// Settle does it to what is still leased by these receipts. All are looked up before anything changes: what one gives back may
// end the leases of others. Receipts that hold nothing are an error of exactly-once subscriptions; to others it is all the same.
func (q *queue) settle(method string, receipts []string, do func(*item)) error {
	q.mu.Lock()
	defer q.unlock()
	q.lapse(time.Now())
	held := make([]*item, len(receipts))
	failures := map[string]string{}
	code := codeOfFailures
	for i, receipt := range receipts {
		var shaped bool
		if held[i], shaped = q.held(receipt); !shaped && !q.config.EnableExactlyOnceDelivery {
			return invalid("You have passed an invalid ack ID to the service (ack_id=%s).", receipt)
		}
	}
	for i, receipt := range receipts {
		m := held[i]
		if r := q.server.rules.item("ackids", method, q.config.Name); r != nil {
			failures[receipt], code = r.reason, r.code
			if !r.after {
				continue
			}
		} else if m == nil && q.config.EnableExactlyOnceDelivery {
			failures[receipt] = "PERMANENT_FAILURE_INVALID_ACK_ID"
		}
		if m != nil && m.delivery != 0 && m.place >= 0 {
			do(m)
		}
	}
	if len(failures) > 0 {
		return failuresOf(code, failures)
	}
	return nil
}

// TakeBack ends the leases of messages that could not be brought to who asked for them, as if they had never been tried.
func (q *queue) takeBack(taken []*pb.ReceivedMessage) {
	q.mu.Lock()
	defer q.unlock()
	for _, each := range taken {
		if m, _ := q.held(each.AckId); m != nil {
			m.attempts--
			q.untime(m)
			q.show(m)
		}
	}
}

// The service's are about as long.
var filling = strings.Repeat("QV5AEhI0GDBFU0RQBhYsXUZIUTcZCGhRDk9eIz81IChFFwYIT", 4)[:150]

func receiptOf(m *item) string {
	return fmt.Sprintf("%s.%x.%x.%s", run, m.serial, m.delivery, filling)
}

// Held is what a receipt still holds, and whether it is a receipt at all, be it from before a restart.
func (q *queue) held(receipt string) (held *item, shaped bool) {
	rest, shaped := strings.CutSuffix(receipt, "."+filling)
	var serial, delivery int64
	ours, found := strings.CutPrefix(rest, run+".")
	if !shaped || !found {
		return nil, shaped
	}
	if _, err := fmt.Sscanf(ours, "%x.%x", &serial, &delivery); err != nil {
		return nil, false
	}
	if m := q.items[serial]; m != nil && m.delivery == delivery && m.place >= 0 {
		return m, true
	}
	return nil, true
}

func (q *queue) purge(before time.Time) {
	q.mu.Lock()
	defer q.unlock()
	for _, m := range q.items {
		if m.message.PublishTime.AsTime().After(before) {
			continue
		}
		q.drop(m)
	}
}

// Drop is the end of any message.
func (q *queue) drop(m *item) {
	switch {
	case m.place >= 0:
		q.remove(m)
		return
	case m.place == waits:
		q.waiting--
		if m.line != nil {
			m.line.leave(m)
		}
	}
	m.place = gone
	delete(q.items, m.serial)
}
