package main

import (
	"container/heap"
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// This run of the program: ids and receipts of an earlier one must never look like its own.
var run = func() string {
	random := make([]byte, 6)
	rand.Read(random)
	return hex.EncodeToString(random)
}()

var serials atomic.Int64

type message struct {
	content
	serial             int64
	id, md5, md5OfAttr string
	sent, first        time.Time
	source             string // of a dead letter: the ARN of the queue that gave it up
	deliveries         int
	received, until    time.Time // of its latest delivery
	place              int       // among the hidden; else visible or deleted
}

const (
	visible = -1
	deleted = -2
)

// A delivery is what a client is told of a message, which may change before it is written.
type delivery struct {
	*message
	receipt string
	count   int
}

type queue struct {
	name, id string
	inFlight int // how many at most
	mu       sync.Mutex
	attributes
	messages map[int64]*message // all, by serial
	ready    []*message         // visible ones in order, and deleted ones that were
	head     int
	waiting  int        // visible
	hidden   byDeadline // in flight
	pollers  []chan struct{}
	alarm    *time.Timer
}

func newQueue(name string, given attributes, inFlight int) *queue {
	q := &queue{name: name, id: strconv.FormatInt(serials.Add(1), 36), attributes: given, inFlight: inFlight}
	q.alarm = time.AfterFunc(time.Hour, q.ring)
	q.clear()
	return q
}

func (q *queue) clear() {
	q.messages, q.ready, q.head, q.waiting, q.hidden = map[int64]*message{}, nil, 0, 0, nil
}

func newMessage(given content) *message {
	n := serials.Add(1)
	return &message{content: given, serial: n, id: fmt.Sprintf("%s-%s-4000-8000-%012x", run[:8], run[8:], n),
		md5: md5OfBody(given.MessageBody), md5OfAttr: md5OfAttributes(given.MessageAttributes), sent: time.Now()}
}

func (q *queue) put(messages ...*message) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, each := range messages {
		q.messages[each.serial] = each
		q.show(each)
	}
	q.wake()
}

func (q *queue) show(m *message) {
	m.place = visible
	q.ready = append(q.ready, m)
	q.waiting++
}

// Receive waits for up to `wait`, and takes nothing for a client that has gone.
func (q *queue) receive(ctx context.Context, most int, hide, wait time.Duration) []delivery {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	for last := wait == 0; ; last = ctx.Err() == context.DeadlineExceeded {
		poller := make(chan struct{}, 1)
		var taken []delivery
		var dead []*message
		q.mu.Lock()
		if last || ctx.Err() == nil {
			taken, dead = q.take(time.Now(), most, hide)
		}
		target := q.redrive.target
		done := last || len(taken) > 0 || ctx.Err() != nil
		if done {
			q.wake()
		} else {
			q.pollers = append(q.pollers, poller)
		}
		q.arm()
		q.mu.Unlock()
		// Not while this queue is locked: each of two may be the other's.
		if len(dead) > 0 {
			target.put(dead...)
		}
		if done {
			return taken
		}
		select {
		case <-poller:
		case <-ctx.Done():
			q.leave(poller)
		}
	}
}

// Wake has one long poll look, which wakes the next when it has taken what it could.
func (q *queue) wake() {
	if len(q.pollers) > 0 && q.waiting > 0 && len(q.hidden) < q.inFlight {
		q.pollers[0] <- struct{}{}
		q.pollers = q.pollers[1:]
	}
}

func (q *queue) leave(poller chan struct{}) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i, each := range q.pollers {
		if each == poller {
			q.pollers = append(q.pollers[:i:i], q.pollers[i+1:]...)
			return
		}
	}
}

// Arm has the queue look again when the next lease lapses, if anyone waits for that.
func (q *queue) arm() {
	if len(q.pollers) > 0 && len(q.hidden) > 0 {
		q.alarm.Reset(time.Until(q.hidden[0].until))
	}
}

func (q *queue) ring() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.lapse(time.Now())
	q.wake()
	q.arm()
}

// Take hides messages for those who receive them. Those that were delivered often enough leave the queue: dead letters.
func (q *queue) take(now time.Time, most int, hide time.Duration) (taken []delivery, dead []*message) {
	q.lapse(now)
	for len(taken) < most && q.head < len(q.ready) && len(q.hidden) < q.inFlight {
		m := q.ready[q.head]
		q.ready[q.head] = nil
		q.head++
		if m.place == deleted {
			continue
		}
		q.waiting--
		if q.redrive.target != nil && m.deliveries >= q.redrive.after {
			delete(q.messages, m.serial)
			m.source = q.arn()
			dead = append(dead, m)
			continue
		}
		m.deliveries++
		m.received, m.until = now, now.Add(hide)
		if m.first.IsZero() {
			m.first = now
		}
		heap.Push(&q.hidden, m)
		receipt := fmt.Sprintf("%s.%s.%x.%x", run, q.id, m.serial, m.deliveries)
		taken = append(taken, delivery{m, receipt, m.deliveries})
	}
	if q.head > 4096 && q.head*2 > len(q.ready) {
		q.ready, q.head = append([]*message(nil), q.ready[q.head:]...), 0
	}
	return taken, dead
}

// Lapse shows again what is leased no longer.
func (q *queue) lapse(now time.Time) {
	for len(q.hidden) > 0 && !q.hidden[0].until.After(now) {
		q.show(heap.Pop(&q.hidden).(*message))
	}
}

// Held is the message of a receipt: nil where it was deleted. Only the receipt of the latest delivery holds.
func (q *queue) held(receipt string) (*message, error) {
	q.lapse(time.Now())
	var n int64
	var count int
	rest, ours := strings.CutPrefix(receipt, run+"."+q.id+".")
	if _, err := fmt.Sscanf(rest, "%x.%x", &n, &count); !ours || err != nil {
		return nil, failure{"ReceiptHandleIsInvalid", "The input receipt handle is not a valid receipt handle."}
	}
	m := q.messages[n]
	if m != nil && m.deliveries != count {
		return nil, failure{"ReceiptHandleIsInvalid", "The message was received again; the input receipt handle has expired."}
	}
	return m, nil
}

// Remove is done already where the message is gone, as with AWS.
func (q *queue) remove(receipt string) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	m, err := q.held(receipt)
	if m == nil {
		return err
	}
	delete(q.messages, m.serial)
	if m.place == visible {
		q.waiting--
	} else {
		heap.Remove(&q.hidden, m.place)
	}
	m.place = deleted
	q.wake()
	return nil
}

// Hide changes for how long a message is hidden, from now. Of one that is visible again AWS says that it was done, and does nothing.
func (q *queue) hide(receipt string, seconds int) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	m, err := q.held(receipt)
	if err != nil {
		return err
	}
	if seconds < 0 || seconds > longestHold {
		return invalid("Value %d for parameter VisibilityTimeout is invalid. Reason: Must be between 0 and %d.", seconds, longestHold)
	}
	if m == nil {
		return invalid("Value %s for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not available for visibility timeout change.", receipt)
	}
	if m.place == visible {
		return nil
	}
	until := time.Now().Add(time.Duration(seconds) * time.Second)
	if until.Sub(m.received) > longestHold*time.Second {
		return invalid("Value %d for parameter VisibilityTimeout is invalid. Reason: Total VisibilityTimeout for the message is beyond the limit [%d seconds].", seconds, longestHold)
	}
	m.until = until
	heap.Fix(&q.hidden, m.place)
	q.lapse(time.Now())
	q.wake()
	q.arm()
	return nil
}

type byDeadline []*message

func (b byDeadline) Len() int           { return len(b) }
func (b byDeadline) Less(i, j int) bool { return b[i].until.Before(b[j].until) }
func (b byDeadline) Swap(i, j int) {
	b[i], b[j] = b[j], b[i]
	b[i].place, b[j].place = i, j
}
func (b *byDeadline) Push(x any) {
	m := x.(*message)
	m.place = len(*b)
	*b = append(*b, m)
}
func (b *byDeadline) Pop() any {
	old := *b
	m := old[len(old)-1]
	old[len(old)-1] = nil
	*b = old[:len(old)-1]
	return m
}
