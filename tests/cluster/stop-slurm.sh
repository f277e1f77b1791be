#!/usr/bin/env bash
# Stop what start-slurm.sh started, by the ids of its processes.
set -uo pipefail
. "$(dirname "$0")/slurm.sh"
ours || exit 0

# TERM, then KILL after 10 s.
end() { # end PROGRAM PIDFILE...
    local program=$1 file pid pids=()
    shift
    # The daemons remove their pid files before they have ended.
    for file in "$@"; do lives "$file" "$program" && pids+=("$(cat "$file")"); done
    ((${#pids[@]})) || return 0
    kill "${pids[@]}"
    for pid in "${pids[@]}"; do
        within 10 eval "! grep -qs '^State:.[^Z]' /proc/$pid/status" || kill -9 "$pid"
    done
    rm -f "$@"
}

# Jobs first: they outlive the daemon of their node.
if answers; then
    jobs=$(squeue -h -o %A | sort -u)
    # shellcheck disable=SC2086 - one argument a job
    [ -z "$jobs" ] || { scancel $jobs && within 20 eval '[ -z "$(squeue -h)" ]'; }
fi
end slurmctld "$RUN/slurmctld.pid" # or it would wait for its nodes
end slurmd "$RUN"/slurmd-*.pid
if [ -e "$RUN/munge-is-ours" ]; then
    end munged /run/munge/munged.pid
    rm -f "$RUN/munge-is-ours"
fi
exit 0
