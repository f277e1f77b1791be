#!/usr/bin/env bash
# Start a real SLURM on this machine alone: two nodes of CPUs and one with two counted, fake GPUs, on
# loopback, without an accounting database. Needs root and Debian's packages slurmctld, slurmd,
# slurm-client and munge. A second call on a healthy cluster changes nothing.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/slurm.sh"

[ "$(id -u)" = 0 ] || fail "SLURM can only be started by root"
for program in slurmctld slurmd squeue munged; do
    command -v "$program" >/dev/null || fail "$program is not installed (apt-get install slurmctld slurmd slurm-client munge)"
done
if [ -e "$CONF/slurm.conf" ] && ! ours; then
    fail "$CONF/slurm.conf is of another cluster: left alone"
fi

host=$(hostname -s)
# SLURM looks its own machine up by name.
getent hosts "$host" >/dev/null || echo "127.0.0.1 $host" >>/etc/hosts

# ---- configuration ----
gpus="$RUN/gpu"
mkdir -p "$CONF" "$RUN"/{log,state,spool,gpu}
{
    echo "$MARK"
    cat <<END
ClusterName=phenopipe
SlurmctldHost=$host(127.0.0.1)
SlurmUser=slurm
AuthType=auth/munge
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
SlurmctldPort=16817
SlurmctldPidFile=$RUN/slurmctld.pid
SlurmdPidFile=$RUN/slurmd-%n.pid
SlurmctldLogFile=$RUN/log/slurmctld.log
SlurmdLogFile=$RUN/log/slurmd-%n.log
StateSaveLocation=$RUN/state
SlurmdSpoolDir=$RUN/spool/%n
# Nodes have more CPUs and memory than the machine.
SlurmdParameters=config_overrides
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
GresTypes=gpu
# A job above its memory is killed at the next look, without control groups.
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
AccountingStorageType=accounting_storage/none
# A production cluster waits for minutes where this one waits for seconds.
SchedulerParameters=sched_interval=1,bf_interval=1,batch_sched_delay=0
SlurmdTimeout=10
SlurmctldTimeout=10
KillWait=5
BatchStartTimeout=10
ReturnToService=2
# The records of ended jobs, which squeue --states=all shows for so long.
MinJobAge=3600
JobCompType=jobcomp/filetxt
JobCompLoc=$RUN/log/jobs.log
END
    port=17001
    for node in "${NODES[@]}"; do
        gres=""
        [[ $node = gpu* ]] && gres="Gres=gpu:fake:2"
        echo "NodeName=$node NodeHostname=$host NodeAddr=127.0.0.1 Port=$((port++)) CPUs=4 RealMemory=16000 $gres State=UNKNOWN"
    done
    IFS=,
    echo "PartitionName=cpu Nodes=${CPU_NODES[*]} Default=YES MaxTime=1-00:00:00 DefaultTime=60 DefMemPerCPU=200 State=UP"
    echo "PartitionName=gpu Nodes=${GPU_NODES[*]} Default=NO MaxTime=1-00:00:00 DefaultTime=60 DefMemPerCPU=200 State=UP"
} >"$RUN/slurm.conf.new"
# A fake GPU is a file whose last digit becomes the number in CUDA_VISIBLE_DEVICES.
for node in "${GPU_NODES[@]}"; do
    for number in 0 1; do
        [ -e "$gpus/$node-$number" ] || mknod "$gpus/$node-$number" c 1 3 # another /dev/null
        echo "NodeName=$node Name=gpu Type=fake File=$gpus/$node-$number"
    done
done >"$RUN/gres.conf.new"
echo "# no control groups" >"$RUN/cgroup.conf.new"
chown -R slurm: "$RUN/state" "$RUN/log"
chown slurm: "$RUN"

changed=""
for name in slurm gres cgroup; do
    cmp -s "$RUN/$name.conf.new" "$CONF/$name.conf" || changed=yes
done
[ -z "$changed" ] || "$here/stop-slurm.sh"
for name in slurm gres cgroup; do
    install -m 644 "$RUN/$name.conf.new" "$CONF/$name.conf"
done

# ---- daemons ----
if ! sealed >/dev/null 2>&1; then
    [ -s /etc/munge/munge.key ] || runuser -u munge -- /usr/sbin/mungekey --create --keyfile=/etc/munge/munge.key
    install -d -o munge -g munge -m 755 /run/munge
    install -d -o munge -g munge -m 700 /var/log/munge /var/lib/munge
    runuser -u munge -- /usr/sbin/munged
    within 10 sealed || fail "munge does not answer"
    touch "$RUN/munge-is-ours"
fi
if ! lives "$RUN/slurmctld.pid" slurmctld; then
    slurmctld
    within 15 answers || fail "slurmctld does not answer: $(tail -n 5 "$RUN/log/slurmctld.log")"
fi
for node in "${NODES[@]}"; do
    mkdir -p "$RUN/spool/$node"
    lives "$RUN/slurmd-$node.pid" slurmd || slurmd -N "$node"
done

all_up() { [ "$(timeout 5 sinfo -h -N -o '%N %t' | sort -u | grep -cE ' (idle|mix|alloc)$')" = "${#NODES[@]}" ]; }
if ! within 20 all_up; then
    # An earlier failure may have left a node down.
    IFS=,
    scontrol update "nodename=${NODES[*]}" state=resume || true
    unset IFS
    within 20 all_up || fail "nodes are not ready: $(sinfo -N -l)"
fi
