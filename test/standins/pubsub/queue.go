package main

import (
	"container/heap"
	"context"
	"sync"
	"time"

	pb "cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// A queue is what a subscription holds.
type queue struct {
	server  *server
	mu      sync.Mutex
	config  *pb.Subscription // never changed, only replaced
	items   map[int64]*item  // all, by serial
	ready   []entry          // in order; also some that are gone
	head    int
	waiting int
	timed   byTime // leased, and delayed
	lines   map[string]*line
	dead    []*item // that leave for the dead letters once the queue is unlocked
	pullers []chan struct{}
	alarm   *time.Timer
	closed  bool
}

// An item is one message here.
type item struct {
	serial   int64
	message  *pb.PubsubMessage
	bytes    int
	attempts int
	delivery int64 // that holds it
	first    time.Time
	until    time.Time // that it is leased or delayed
	place    int       // among the timed; else waiting or gone
	line     *line
}

const (
	waits = -1
	gone  = -2
)

// An entry is a message, or all of an ordering key that waits.
type entry struct {
	item *item
	line *line
}

func newQueue(config *pb.Subscription, s *server) *queue {
	q := &queue{server: s, config: config, items: map[int64]*item{}, lines: map[string]*line{}}
	q.alarm = time.AfterFunc(time.Hour, q.ring)
	return q
}

func (q *queue) settings() *pb.Subscription {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.config
}

func (q *queue) change(how func(*pb.Subscription)) {
	q.mu.Lock()
	defer q.unlock()
	changed := proto.CloneOf(q.config)
	how(changed)
	q.config = changed
}

func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.alarm.Stop()
	for _, each := range q.pullers {
		close(each)
	}
	q.pullers = nil
}

func (q *queue) ring() {
	q.mu.Lock()
	q.lapse(time.Now())
	q.unlock()
}

// Unlock sees to what follows from any change: a pull that can have something, the next lease to lapse, and dead letters.
func (q *queue) unlock() {
	if q.head < len(q.ready) && len(q.pullers) > 0 {
		q.pullers[0] <- struct{}{}
		q.pullers = q.pullers[1:]
	}
	if len(q.timed) > 0 && !q.closed {
		q.alarm.Reset(time.Until(q.timed[0].until))
	}
	dead := q.dead
	q.dead = nil
	config := q.config
	q.mu.Unlock()
	if len(dead) > 0 {
		// Not here: who has unlocked may hold the server's lock.
		go q.bury(dead, config)
	}
}

func (q *queue) put(messages []*pb.PubsubMessage, delay time.Duration) {
	if len(messages) == 0 {
		return
	}
	q.mu.Lock()
	defer q.unlock()
	now := time.Now()
	for _, each := range messages {
		m := &item{serial: serials.Add(1), message: each, bytes: proto.Size(each), first: now}
		q.items[m.serial] = m
		if q.config.EnableMessageOrdering && each.OrderingKey != "" {
			m.line = q.lineOf(each.OrderingKey)
		}
		if delay > 0 {
			q.time(m, now.Add(delay))
		} else {
			q.show(m)
		}
	}
}

// Pull waits until the context ends; one after the other gets what comes.
func (q *queue) pull(ctx context.Context, most int, immediately bool) ([]*pb.ReceivedMessage, error) {
	for {
		q.mu.Lock()
		if q.closed {
			q.mu.Unlock()
			return nil, notFound(q.config.Name)
		}
		// A caller who has gone leaves what is here to the next.
		if ctx.Err() != nil {
			q.unlock()
			if ctx.Err() == context.Canceled {
				return nil, status.FromContextError(ctx.Err()).Err()
			}
			return nil, nil
		}
		taken := q.take(time.Now(), most)
		if len(taken) > 0 || immediately {
			q.unlock()
			return taken, nil
		}
		mine := make(chan struct{}, 1)
		q.pullers = append(q.pullers, mine)
		q.unlock()
		select {
		case <-mine:
		case <-ctx.Done():
			q.leave(mine)
		}
	}
}

func (q *queue) leave(puller chan struct{}) {
	q.mu.Lock()
	defer q.unlock()
	for i, each := range q.pullers {
		if each == puller {
			q.pullers = append(q.pullers[:i:i], q.pullers[i+1:]...)
			return
		}
	}
}

// Show has a message wait.
func (q *queue) show(m *item) {
	m.place, m.delivery = waits, 0
	q.waiting++
	if m.line != nil {
		m.line.add(m)
		q.offer(m.line)
	} else {
		q.ready = append(q.ready, entry{item: m})
	}
}

// Time hides a message until then: it is leased, or delayed where no delivery holds it.
func (q *queue) time(m *item, until time.Time) {
	m.until = until
	heap.Push(&q.timed, m)
	if m.line != nil {
		m.line.held[m.serial] = m
	}
}

// Untime is the end of a lease, or of a delay. The caller says what becomes of the message, and then offers its line.
func (q *queue) untime(m *item) {
	heap.Remove(&q.timed, m.place)
	m.place = gone
	if m.line != nil {
		delete(m.line.held, m.serial)
	}
}

// Lapse shows again what is leased or delayed no longer.
func (q *queue) lapse(now time.Time) {
	for len(q.timed) > 0 && !q.timed[0].until.After(now) {
		m := q.timed[0]
		if m.delivery != 0 {
			q.release(m)
		} else {
			q.untime(m)
			q.show(m)
		}
	}
}

// Remove is the end of a message that is leased.
func (q *queue) remove(m *item) {
	q.untime(m)
	delete(q.items, m.serial)
	q.offer(m.line)
}

func (q *queue) extend(m *item, until time.Time) {
	m.until = until
	heap.Fix(&q.timed, m.place)
}
