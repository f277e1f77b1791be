from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from cli_runs import problems, run, run_well

from phenopipe.tabulate import PLANTS, write_table

_TYPES = {"text": "string", "time": "string", "integer": "Int64"}
_TYPES |= {"number": "float64", "boolean": "boolean"}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch) -> Path:
    """A folder with results of two analyses of two sets of a plant, which lost a leaf in one."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config").mkdir()
    analyses = "analyses: {mild: {}, strict: {segment: {seed_threshold: 0.6}}}\n"
    (tmp_path / "config/config.yaml").write_text(analyses)
    for analysis, counts in (("mild", (5, 4)), ("strict", (5, 3))):
        for image_set, count in zip(("n1", "n2"), counts, strict=True):
            cells = {"image_set": image_set, "image": f"{image_set}/\x1b[31m.png", "pot": "1"}
            cells |= {"leaf_count": count, "leaf_area_px": 9.0, "plant_area_px": 9.0}
            rows = pd.DataFrame([cells], columns=[column.name for column in PLANTS])
            typed = rows.astype({column.name: _TYPES[column.kind] for column in PLANTS})
            path = tmp_path / f"results/analyses/{analysis}/sets/{image_set}/plants.csv"
            write_table(path, typed, PLANTS)
    return tmp_path


def test_compare_prints_a_summary_and_writes_what_changed() -> None:
    lines = run_well("compare", "mild", "strict").stdout.splitlines()
    assert lines[0] == "A: mild, B: strict"
    assert [line.split()[:3] for line in lines[2:5]] == [
        *(["n1", "1", "0"], ["n2", "1", "1"], ["all", "2", "1"]),
    ]
    folder = Path("results/comparisons/mild/strict")
    assert lines[-1] == f"{folder}/report.html"
    assert "segment.seed_threshold" in (folder / "report.html").read_text()
    assert len((folder / "changes.csv").read_text().splitlines()) == 3


def test_one_set_alone_elsewhere() -> None:
    lines = run_well("compare", "mild", "strict", "--set", "n1", "--out", "o").stdout.splitlines()
    assert len(lines) == 5
    assert Path("o/changes.csv").is_file()
    assert not Path("results/comparisons").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["mild", "lax"], "results/analyses/lax: no such analysis (mild, strict)"),
        (["mild", "mild"], "compare: mild and mild are one analysis; name two"),
        (["mild", "strict", "--set", "n9"], "results: neither mild nor strict has a set n9"),
        (["mild", "strict", "--config", "no.yaml"], "no.yaml: cannot be read"),
    ],
)
def test_mistakes(arguments: list[str], message: str) -> None:
    result = run("compare", *arguments)
    assert result.exit_code == 1
    assert problems(result)[0].startswith(message)
