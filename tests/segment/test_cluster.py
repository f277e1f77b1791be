from __future__ import annotations

import logging
import os
import urllib.error
import urllib.request

import psutil
import pytest

from phenopipe.config import DaskSettings
from phenopipe.errors import InputError
from phenopipe.segment import cluster as cluster_module
from phenopipe.segment.cluster import choose_place, connect, dashboard_link, most_workers


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
    with connect(DaskSettings(), cluster, 2) as client:
        assert client.submit(sum, [1, 2]).result() == 3
        assert sum(client.nthreads().values()) == 2
        assert (client.submit(os.getpid).result() == os.getpid()) is (cluster == "threads")
        assert listening() - before <= {"127.0.0.1"}
    assert client.status == "closed"


@pytest.mark.parametrize(
    ("dashboard", "reported", "watched"),
    [(False, False, False), (True, False, True), (False, True, True)],
)
def test_workers_are_watched_only_where_somebody_sees_it(dashboard, reported, watched):
    settings = DaskSettings(dashboard=dashboard)
    with connect(settings, "processes", 1, reported=reported) as client:
        found = client.run(_looks)
    assert list(found.values()) == [watched]


def _looks(dask_worker):
    """Tell whether a worker looks often at what it does and at whether it answers."""
    callbacks = dask_worker.periodic_callbacks
    often = callbacks["tick"].callback_time < 1000
    assert ("profile" in callbacks) == often
    return often


@pytest.mark.parametrize(
    ("changed", "workers", "crops", "place"),
    [
        ({}, 2, 199, "here"),
        ({}, 2, 200, "processes"),
        ({}, 1, 1000, "here"),
        ({"processes_from": 20}, 2, 20, "processes"),
        ({"dashboard": True}, 2, 199, "threads"),
        ({"cluster": "threads"}, 2, 1000, "threads"),
        ({"cluster": "processes"}, 1, 1, "processes"),
        ({"cluster": "slurm"}, 1, 1, "slurm"),
        ({"cluster": "slurm", "address": "tcp://10.0.0.5:8786"}, 1, 1, "address"),
    ],
)
def test_a_large_set_has_processes_and_a_small_one_its_job_alone(changed, workers, crops, place):
    assert choose_place(DaskSettings(**changed), workers, crops) == place
    reported = choose_place(DaskSettings(**changed), workers, crops, reported=True)
    assert reported == ("threads" if place == "here" else place)


@pytest.mark.parametrize("cluster", ["threads", "processes"])
def test_the_dashboard_is_served_on_request_and_on_loopback(cluster, caplog):
    before = listening()
    settings = DaskSettings(dashboard=True)
    with caplog.at_level(logging.INFO, "phenopipe"), connect(settings, cluster, 1) as client:
        with urllib.request.urlopen(dashboard_link(client)) as answer:
            assert b"Dask" in answer.read()
        assert dashboard_link(client) in caplog.text
        assert listening() - before <= {"127.0.0.1"}
    with (
        connect(DaskSettings(), cluster, 1) as client,
        pytest.raises(urllib.error.HTTPError, match="404"),
    ):
        urllib.request.urlopen(dashboard_link(client))


def test_a_scheduler_that_is_not_there_is_named():
    nobody = DaskSettings(address="tcp://127.0.0.1:9")
    import dask

    with (
        dask.config.set({"distributed.comm.timeouts.connect": "300ms"}),
        pytest.raises(InputError, match=r"dask.address: no scheduler answers at tcp://127.0.0.1:9"),
        connect(nobody, "address", 1),
    ):
        pass


def test_a_scheduler_without_workers_is_named(monkeypatch):
    from dask.distributed import LocalCluster

    monkeypatch.setattr(cluster_module, "WORKERS_WITHIN_S", 0.3)
    options = {"host": "127.0.0.1", "dashboard_address": cluster_module.LOOPBACK}
    with LocalCluster(n_workers=0, **options) as idle:
        settings = DaskSettings(address=idle.scheduler_address)
        with (
            pytest.raises(InputError, match=r"dask.address: the scheduler at .* has no worker"),
            connect(settings, "address", 1),
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
    with connect(settings, "slurm", 3) as client:
        script = client.cluster.job_script()
        assert client.cluster.scheduler_address.startswith("tcp://127.0.0.1:")
    assert asked == [{"minimum_jobs": 2, "maximum_jobs": 5}]
    assert most_workers(settings, 3) == 5
    assert "#SBATCH -p night" in script
    assert "#SBATCH -t 00:20:00" in script
    assert "#SBATCH --mem=3G" in script
    assert "--no-dashboard" in script
