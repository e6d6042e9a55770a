package main

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strconv"
	"time"

	"google.golang.org/genproto/googleapis/rpc/code"
)

// Monitoring answers as Cloud Monitoring's projects.timeSeries.list does of two metrics of a subscription, with how it is at
// this moment: the service's samples are minutes old.
type monitoring struct {
	rules   *faults
	backlog backlog
}

var (
	ofMetric       = regexp.MustCompile(`metric\.type\s*=\s*"([^"]*)"`)
	ofSubscription = regexp.MustCompile(`resource\.labels?\.subscription_id\s*=\s*"([^"]*)"`)
	httpStatus     = map[code.Code]int{code.Code_INVALID_ARGUMENT: 400, code.Code_UNAUTHENTICATED: 401, code.Code_PERMISSION_DENIED: 403,
		code.Code_NOT_FOUND: 404, code.Code_RESOURCE_EXHAUSTED: 429, code.Code_UNAVAILABLE: 503, code.Code_DEADLINE_EXCEEDED: 504}
)

func (m *monitoring) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	query, project := r.URL.Query(), r.PathValue("project")
	metric, id := ofMetric.FindStringSubmatch(query.Get("filter")), ofSubscription.FindStringSubmatch(query.Get("filter"))
	if metric == nil || id == nil {
		refuse(w, code.Code_INVALID_ARGUMENT, "The filter must name metric.type and resource.labels.subscription_id.")
		return
	}
	end, err := time.Parse(time.RFC3339, query.Get("interval.endTime"))
	start, notStart := time.Parse(time.RFC3339, query.Get("interval.startTime"))
	if err != nil || query.Has("interval.startTime") && notStart != nil || start.After(end) {
		refuse(w, code.Code_INVALID_ARGUMENT, "The interval must have an end, and no start after it.")
		return
	}
	subscription := "projects/" + project + "/subscriptions/" + id[1]
	if fault := m.rules.choose("call", "ListTimeSeries", subscription); fault != nil {
		if err := m.rules.fail(r.Context(), fault, r.URL); err != nil {
			refuse(w, code.Code(fault.code), "a fault of the test")
			return
		}
	}
	found, known := m.backlog.backlogOf(subscription)
	var value int64
	switch metric[1] {
	case "pubsub.googleapis.com/subscription/num_undelivered_messages":
		value = int64(found.Waiting + found.Leased)
	case "pubsub.googleapis.com/subscription/oldest_unacked_message_age":
		value = found.OldestMs / 1000
	default:
		refuse(w, code.Code_NOT_FOUND, "Cannot find metric(s) that match type = \""+metric[1]+"\".")
		return
	}
	if !known {
		answer(w, struct{}{})
		return
	}
	at := end.UTC().Format(time.RFC3339Nano)
	answer(w, map[string]any{"unit": "1", "timeSeries": []any{map[string]any{
		"metric":     map[string]any{"type": metric[1]},
		"resource":   map[string]any{"type": "pubsub_subscription", "labels": map[string]string{"project_id": project, "subscription_id": id[1]}},
		"metricKind": "GAUGE",
		"valueType":  "INT64",
		"points": []any{map[string]any{
			"interval": map[string]string{"startTime": at, "endTime": at},
			"value":    map[string]string{"int64Value": strconv.FormatInt(value, 10)},
		}},
	}}})
}

func refuse(w http.ResponseWriter, reason code.Code, text string) {
	status, known := httpStatus[reason]
	if !known {
		status = 500
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(map[string]any{"error": map[string]any{"code": status, "message": text, "status": reason.String()}})
}
