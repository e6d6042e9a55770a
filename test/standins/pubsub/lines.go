package main

import "slices"

// A line is what a subscription in order has of one ordering key. While any of it is leased, or delayed, the rest waits: a pull
// gives as many of a key as it can hold, and the next come when those are settled.
type line struct {
	key     string
	waiting []*item // in order
	held    map[int64]*item
	offered bool // among what is ready
}

func (q *queue) lineOf(key string) *line {
	l := q.lines[key]
	if l == nil {
		l = &line{key: key, held: map[int64]*item{}}
		q.lines[key] = l
	}
	return l
}

func (l *line) add(m *item) {
	if last := len(l.waiting) - 1; last < 0 || l.waiting[last].serial < m.serial {
		l.waiting = append(l.waiting, m)
		return
	}
	at, _ := slices.BinarySearchFunc(l.waiting, m, bySerial)
	l.waiting = slices.Insert(l.waiting, at, m)
}

func (l *line) leave(m *item) {
	if at, found := slices.BinarySearchFunc(l.waiting, m, bySerial); found {
		l.waiting = slices.Delete(l.waiting, at, at+1)
	}
}

func bySerial(a, b *item) int { return int(a.serial - b.serial) }

// Offer puts a line among what is ready if it is.
func (q *queue) offer(l *line) {
	if l == nil || l.offered || len(l.held) > 0 {
		return
	}
	if len(l.waiting) == 0 {
		// A message that comes back must find the line that others of its key are in.
		if q.lines[l.key] == l {
			delete(q.lines, l.key)
		}
		return
	}
	q.lines[l.key] = l
	l.offered = true
	q.ready = append(q.ready, entry{line: l})
}

// After is what is leased of a line behind this message, in order.
func (l *line) after(m *item) []*item {
	if l == nil {
		return nil
	}
	var behind []*item
	for _, each := range l.held {
		if each.serial > m.serial && each.delivery != 0 {
			behind = append(behind, each)
		}
	}
	slices.SortFunc(behind, bySerial)
	return behind
}

type byTime []*item

func (b byTime) Len() int           { return len(b) }
func (b byTime) Less(i, j int) bool { return b[i].until.Before(b[j].until) }
func (b byTime) Swap(i, j int) {
	b[i], b[j] = b[j], b[i]
	b[i].place, b[j].place = i, j
}
func (b *byTime) Push(x any) {
	m := x.(*item)
	m.place = len(*b)
	*b = append(*b, m)
}
func (b *byTime) Pop() any {
	old := *b
	m := old[len(old)-1]
	old[len(old)-1] = nil
	*b = old[:len(old)-1]
	return m
}
