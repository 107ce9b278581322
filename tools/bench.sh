#!/bin/sh
# Runs the bench with the project's Node, itself on the players' core so that the server's core stays free.
set -eu
cd "$(dirname "$0")/.."
PATH="$PWD/node_modules/.bin:$PATH"
for program in taskset gcc openssl; do
  command -v "$program" >/dev/null || { echo "bench: needs $program" >&2; exit 1; }
done
[ "$(nproc --all)" -ge 2 ] || { echo "bench: needs two cores" >&2; exit 1; }
exec taskset -c 1 node bench/main.ts "$@"
