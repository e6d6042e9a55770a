package main

import (
	"context"
	"strings"
	"sync"

	"google.golang.org/genproto/googleapis/rpc/code"
	"google.golang.org/grpc"
	"google.golang.org/grpc/status"
)

// Calls counts what was asked, by resource, method and the name of its outcome.
type calls struct {
	mu     sync.Mutex
	counts map[[3]string]int
}

func (c *calls) unary(ctx context.Context, request any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	answer, err := next(ctx, request)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.counts == nil {
		c.counts = map[[3]string]int{}
	}
	outcome := code.Code(status.Code(err)).String()
	c.counts[[3]string{resourceOf(request), methodOf(info), outcome}]++
	return answer, err
}

// Of resources whose names begin so: by method and outcome.
func (c *calls) of(resource string) map[string]map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	sums := map[string]map[string]int{}
	for key, count := range c.counts {
		if !strings.HasPrefix(key[0], resource) {
			continue
		}
		if sums[key[1]] == nil {
			sums[key[1]] = map[string]int{}
		}
		sums[key[1]][key[2]] += count
	}
	return sums
}
