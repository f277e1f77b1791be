"""What a set cost, from benchmarks as Snakemake writes them and from what lies on the disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from phenopipe.errors import StoreError
from phenopipe.job_files import Job, job_line
from phenopipe.report.costs import CostFiles, cost_facts, stage_cost

HEADER = "s\th:m:s\tmax_rss\tmax_vms\tmax_uss\tmax_pss\tio_in\tio_out\tmean_load\tcpu_time\n"


def write_job(stem: Path, wall: str, cpu: str, gpus: int = 0) -> Path:
    row = [wall, "0:00:01", *["1.00"] * 7, cpu]
    Path(f"{stem}.benchmark.tsv").write_text(HEADER + "\t".join(row) + "\n")
    job = Job("2026-03-01T00:00:00+01:00", "2026-03-01T00:01:00+01:00", "node", "7", gpus)
    Path(f"{stem}.log").write_text(
        f"2026-03-01 00:01:00,000 INFO phenopipe.logs: {job_line(job)}\n"
    )
    return stem


def test_sums_over_the_jobs_of_a_stage(tmp_path: Path) -> None:
    stems = [
        write_job(tmp_path / "0.0", "10.00", "4.00", 2),
        write_job(tmp_path / "1", "5.00", "1.50"),
    ]
    cost = stage_cost(stems)
    assert (cost.wall_s, cost.cpu_s, cost.gpu_s) == (15, 5.5, 20)


def test_facts_for_an_image(tmp_path: Path) -> None:
    (tmp_path / "0000.zarr").mkdir()
    (tmp_path / "0000.zarr/chunk").write_bytes(bytes(600))
    (tmp_path / "plants.csv").write_bytes(bytes(200))
    files = CostFiles(
        jobs={"ingest": [write_job(tmp_path / "i", "2", "1")],
              "predict": [write_job(tmp_path / "p", "6", "3", 1)]},
        stored={"crops": [tmp_path / "0000.zarr"], "tables": [tmp_path / "plants.csv"]},
    )  # fmt: skip
    assert cost_facts(files, 4) == [
        ("images an hour, one job after another", "1\u202f800"),
        ("CPU-s an image", "1 (ingest 0.25, predict 0.75)"),
        ("GPU-s an image", "1.5 (ingest 0, predict 1.5)"),
        ("bytes an image on the disk", "200 (crops 150, tables 50)"),
    ]
    assert cost_facts(files, 0) == []


def test_what_is_not_known_is_a_dash_and_no_zero(tmp_path: Path) -> None:
    files = CostFiles(
        {"ingest": [tmp_path / "gone"], "predict": [write_job(tmp_path / "p", "2", "NA")]}
    )
    facts = dict(cost_facts(files, 2))
    assert facts["images an hour, one job after another"] == "\u2013"
    assert facts["CPU-s an image"] == "\u2013 (ingest \u2013, predict \u2013)"


def test_a_damaged_benchmark_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.benchmark.tsv").write_text("s\n1\n")
    with pytest.raises(StoreError, match=r"x\.benchmark\.tsv: is no benchmark"):
        stage_cost([tmp_path / "x"])
