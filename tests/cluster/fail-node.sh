#!/usr/bin/env bash
# fail-node.sh NODE: let a node fail, as if its power went: its daemon and all processes of its jobs
# are gone at once. start-slurm.sh brings it back.
set -uo pipefail
. "$(dirname "$0")/slurm.sh"
ours || fail "the test cluster is not running"
node=$1

family() { # family PID: the process and all below it, parents first
    local child
    echo "$1"
    for child in $(pgrep -P "$1"); do family "$child"; done
}

kill -9 "$(cat "$RUN/slurmd-$node.pid")"
for job in $(squeue -h -w "$node" -o %A); do
    for step in $(pgrep -f "^slurmstepd: \[$job\."); do
        # In this order: a step daemon that outlives its script tells the controller how that ended.
        # shellcheck disable=SC2046 - one argument a process
        kill -9 $(family "$step")
    done
done
