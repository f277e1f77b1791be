# What the scripts beside this one share; sourced, never run.
RUN=/run/phenopipe-slurm # pid files, logs, state: gone with the next boot
CONF=/etc/slurm          # SLURM's own place: Snakemake's executor clears SLURM_CONF
MARK="# phenopipe's test cluster: written by tests/cluster/start-slurm.sh"
CPU_NODES=(cpu1 cpu2)
GPU_NODES=(gpu1)
NODES=("${CPU_NODES[@]}" "${GPU_NODES[@]}")
unset SLURM_CONF

fail() {
    echo "$*" >&2
    exit 1
}

# Whether the process in a pid file lives and is the named program (a zombie is not).
lives() { # lives PIDFILE PROGRAM
    local pid
    pid=$(cat "$1" 2>/dev/null) && [ -n "$pid" ] || return 1
    [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = "$2" ] && ! grep -q '^State:.Z' "/proc/$pid/status"
}

# Try a command every 0.1 s for so many seconds.
within() { # within SECONDS COMMAND...
    local tries=$(($1 * 10))
    shift
    while ! "$@" >/dev/null 2>&1; do
        ((tries-- > 0)) || return 1
        sleep 0.1
    done
}

answers() { timeout 5 scontrol ping | grep -q 'is UP'; }
sealed() { timeout 5 munge -n | timeout 5 unmunge; }
ours() { [ "$(head -n 1 "$CONF/slurm.conf" 2>/dev/null)" = "$MARK" ]; }
