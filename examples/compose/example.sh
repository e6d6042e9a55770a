#!/bin/sh
# Sends the events of examples/github, waits until they are in the tables, and asks them. Sent again, they make no second row.
#     example.sh DIR          DIR holds .catchment/, as of the worker and the poller that run
set -eu
cd "$(dirname "$0")"
catchment() {
  node ../../dist/cli/main.js "$@" --dir "$dir"
}
dir=$1
events=$(mktemp)
trap 'rm -f "$events"' EXIT

node ../github/events.mjs > "$events"
catchment send "$events" --id /delivery
catchment status --wait --timeout 10m
cat ../github/query.sql
catchment query "$(cat ../github/query.sql)"
