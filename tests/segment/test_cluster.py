from __future__ import annotations

import logging
import os
import urllib.error
import urllib.request

import psutil
import pytest

from phenopipe.config import DaskSettings
from phenopipe.errors import InputError
from phenopipe.segment.cluster import connect, dashboard_link, most_workers


def listening():
    """Addresses on which this process and its children listen."""
    own = psutil.Process()
    return {
        connection.laddr.ip
        for process in [own, *own.children(recursive=True)]
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    }


@pytest.mark.parametrize("cluster", ["threads", "processes"])
def test_local_clusters_work_and_listen_on_loopback_only(cluster):
    before = listening()
    with connect(DaskSettings(cluster=cluster), 2) as client:
        assert client.submit(sum, [1, 2]).result() == 3
        assert sum(client.nthreads().values()) == 2
        assert (client.submit(os.getpid).result() == os.getpid()) is (cluster == "threads")
        assert listening() - before <= {"127.0.0.1"}
    assert client.status == "closed"


@pytest.mark.parametrize(
    ("workers", "crops", "threads"), [(2, 199, True), (1, 1000, True), (2, 200, False)]
)
def test_a_large_set_has_processes_and_a_small_one_threads(workers, crops, threads):
    with connect(DaskSettings(), workers, crops) as client:
        assert (client.submit(os.getpid).result() == os.getpid()) is threads
        assert sum(client.nthreads().values()) == workers


@pytest.mark.parametrize("cluster", ["threads", "processes"])
def test_the_dashboard_is_served_on_request_and_on_loopback(cluster, caplog):
    before = listening()
    settings = DaskSettings(cluster=cluster, dashboard=True)
    with caplog.at_level(logging.INFO, "phenopipe"), connect(settings, 1) as client:
        with urllib.request.urlopen(dashboard_link(client)) as answer:
            assert b"Dask" in answer.read()
        assert dashboard_link(client) in caplog.text
        assert listening() - before <= {"127.0.0.1"}
    with (
        connect(DaskSettings(cluster=cluster), 1) as client,
        pytest.raises(urllib.error.HTTPError, match="404"),
    ):
        urllib.request.urlopen(dashboard_link(client))


def test_bad_wishes_are_refused_in_plain_words():
    with pytest.raises(InputError, match="workers: at least 1"), connect(DaskSettings(), 0):
        pass
    nobody = DaskSettings(address="tcp://127.0.0.1:9")
    import dask

    with (
        dask.config.set({"distributed.comm.timeouts.connect": "300ms"}),
        pytest.raises(InputError, match=r"dask.address: no scheduler answers at tcp://127.0.0.1:9"),
        connect(nobody, 1),
    ):
        pass


def test_slurm_workers_are_asked_for_as_set(monkeypatch):
    from dask_jobqueue import SLURMCluster

    asked = []
    monkeypatch.setattr(SLURMCluster, "adapt", lambda cluster, **jobs: asked.append(jobs))
    settings = DaskSettings(
        cluster="slurm",
        worker_memory="3GB",
        slurm_queue="night",
        slurm_walltime="00:20:00",
        slurm_min_workers=2,
        slurm_max_workers=5,
        slurm_interface="lo",
    )
    with connect(settings, 3) as client:
        script = client.cluster.job_script()
        assert client.cluster.scheduler_address.startswith("tcp://127.0.0.1:")
    assert asked == [{"minimum_jobs": 2, "maximum_jobs": 5}]
    assert most_workers(settings, 3) == 5
    assert "#SBATCH -p night" in script
    assert "#SBATCH -t 00:20:00" in script
    assert "#SBATCH --mem=3G" in script
    assert "--no-dashboard" in script
