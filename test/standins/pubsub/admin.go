package main

import (
	"encoding/json"
	"fmt"
	"math/rand"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"google.golang.org/genproto/googleapis/rpc/code"
	"google.golang.org/grpc/codes"
)

// Backlog is what a subscription holds; false where there is no such.
type backlog interface {
	backlogOf(subscription string) (figures, bool)
}

type figures struct {
	Waiting  int   `json:"waiting"` // with what is delayed
	Leased   int   `json:"leased"`
	OldestMs int64 `json:"oldestMs"`
}

func (q *queue) figures() figures {
	q.mu.Lock()
	defer q.unlock()
	now := time.Now()
	q.lapse(now)
	all := figures{Waiting: q.waiting}
	oldest := now
	for _, m := range q.items {
		if m.place >= 0 && m.delivery != 0 {
			all.Leased++
		} else if m.place >= 0 {
			all.Waiting++
		}
		if m.first.Before(oldest) {
			oldest = m.first
		}
	}
	all.OldestMs = now.Sub(oldest).Milliseconds()
	return all
}

// AdminOf is the port of the tests:
//
//	POST   /fault?kind=call&method=Publish&resource=projects/…&code=UNAVAILABLE&times=2…   a rule; answers {"id":1}
//	DELETE /fault?id=1
//	GET    /faults                                     every rule with how often it happened
//	POST   /clear?resource=projects/…                  removes the rules of these resources; all without
//	GET    /seen?resource=projects/…                   calls by method and outcome
//	GET    /stats?subscription=projects/…              what it holds
//	GET    /v3/projects/P/timeSeries?…                 as Cloud Monitoring
func adminOf(rules *faults, seen *calls, backlog backlog) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /fault", func(w http.ResponseWriter, r *http.Request) {
		made, err := ruleOf(r.URL.Query())
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		answer(w, map[string]int{"id": rules.add(made)})
	})
	mux.HandleFunc("DELETE /fault", func(w http.ResponseWriter, r *http.Request) {
		id := r.URL.Query().Get("id")
		rules.remove(func(each *rule) bool { return strconv.Itoa(each.id) == id })
		answer(w, struct{}{})
	})
	mux.HandleFunc("POST /clear", func(w http.ResponseWriter, r *http.Request) {
		resource := r.URL.Query().Get("resource")
		rules.remove(func(each *rule) bool { return strings.HasPrefix(each.resource, resource) })
		answer(w, struct{}{})
	})
	mux.HandleFunc("GET /faults", func(w http.ResponseWriter, _ *http.Request) { answer(w, rules.list()) })
	mux.HandleFunc("GET /seen", func(w http.ResponseWriter, r *http.Request) {
		answer(w, seen.of(r.URL.Query().Get("resource")))
	})
	mux.HandleFunc("GET /stats", func(w http.ResponseWriter, r *http.Request) {
		found, known := backlog.backlogOf(r.URL.Query().Get("subscription"))
		if !known {
			http.Error(w, "there is no such subscription", http.StatusNotFound)
			return
		}
		answer(w, found)
	})
	mux.Handle("GET /v3/projects/{project}/timeSeries", &monitoring{rules, backlog})
	return mux
}

func answer(w http.ResponseWriter, out any) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(out)
}

var kinds = []string{"call", "ackids", "redeliver", "lapse", "duplicate", "late", "deny"}

func ruleOf(q url.Values) (*rule, error) {
	r := &rule{kind: "call", share: 1, method: q.Get("method"), resource: q.Get("resource"), reason: q.Get("reason"),
		after: q.Get("after") == "1", hang: q.Get("hang") == "1", quote: q.Get("quote") == "1", random: rand.New(rand.NewSource(1))}
	if q.Has("kind") {
		r.kind = q.Get("kind")
	}
	if !slices.Contains(kinds, r.kind) {
		return nil, fmt.Errorf("there is no kind %q; there are %s", r.kind, strings.Join(kinds, ", "))
	}
	if r.kind == "ackids" {
		r.code = codeOfFailures
		if r.reason == "" {
			r.reason = "TRANSIENT_FAILURE_UNORDERED_ACK_ID"
		}
	}
	var err error
	read := func(name string, set func(string) error) {
		if q.Has(name) && err == nil {
			err = set(q.Get(name))
		}
	}
	number := func(to *int) func(string) error {
		return func(text string) (err error) { *to, err = strconv.Atoi(text); return }
	}
	read("code", func(text string) error {
		n, named := code.Code_value[text]
		if !named {
			return fmt.Errorf("gRPC has no code %q", text)
		}
		r.code = codes.Code(n)
		return nil
	})
	read("times", number(&r.times))
	read("nth", number(&r.nth))
	read("share", func(text string) (err error) { r.share, err = strconv.ParseFloat(text, 64); return })
	read("delay", func(text string) (err error) { r.delay, err = time.ParseDuration(text); return })
	read("seed", func(text string) error {
		seed, err := strconv.ParseInt(text, 10, 64)
		r.random = rand.New(rand.NewSource(seed))
		return err
	})
	return r, err
}

func (f *faults) add(r *rule) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.made++
	r.id = f.made
	f.rules = append(f.rules, r)
	return r.id
}

func (f *faults) remove(which func(*rule) bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rules = slices.DeleteFunc(f.rules, which)
}

func (f *faults) list() []map[string]any {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := []map[string]any{}
	for _, r := range f.rules {
		all = append(all, map[string]any{"id": r.id, "kind": r.kind, "method": r.method, "resource": r.resource,
			"code": code.Code(r.code).String(), "happened": r.happenedTimes})
	}
	return all
}
