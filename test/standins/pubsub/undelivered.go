package main

import (
	"context"
	"sync"

	"google.golang.org/grpc/stats"
)

// Delivered learns of answers that could not be sent, since their callers had gone by then: what was leased for them is taken
// back. Of an answer that is on its way nobody knows what becomes of it, as with the service.
type delivered struct{}

type undelivered struct {
	mu sync.Mutex
	do func()
}

type undeliveredKey struct{}

// OnUndelivered has this done if the answer of this call cannot be sent.
func onUndelivered(ctx context.Context, do func()) {
	if u, ok := ctx.Value(undeliveredKey{}).(*undelivered); ok {
		u.mu.Lock()
		defer u.mu.Unlock()
		u.do = do
	}
}

func (delivered) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context {
	return context.WithValue(ctx, undeliveredKey{}, &undelivered{})
}

func (delivered) HandleRPC(ctx context.Context, event stats.RPCStats) {
	end, ended := event.(*stats.End)
	if !ended || end.Error == nil {
		return
	}
	if u, ok := ctx.Value(undeliveredKey{}).(*undelivered); ok {
		u.mu.Lock()
		do := u.do
		u.mu.Unlock()
		if do != nil {
			do()
		}
	}
}

func (delivered) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }
func (delivered) HandleConn(context.Context, stats.ConnStats)                       {}
