"""The benchmark of the paper's claim: what it trains, how it scores, what it reports."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import stats

from phenopipe.config import SegmentSettings
from phenopipe.encoding import background_direction
from phenopipe.evaluate import symmetric_best_dice
from phenopipe.model.wnet import WNet
from phenopipe.segment import segment_leaves
from phenopipe.train.targets import distance_target

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))

import reproduce_paper as paper  # noqa: E402
import reproduction_report as report  # noqa: E402

torch.set_num_threads(1)
BUDGET = paper.Budget(training_pictures=6, test_pictures=2, steps=3, batch_size=4, warmup_steps=1)
TABLES = ("cells", "claims", "runs")


def test_every_combination_is_there_and_a_replicate_comes_first() -> None:
    runs = paper.all_runs(2)
    assert len({run.name for run in runs}) == len(runs) == 24
    assert {run.seed for run in runs[:12]} == {0}
    kinds = {(run.distance_features, run.embedding_dim, run.constraint) for run in runs[:12]}
    assert len(kinds) == 12


def test_every_picture_is_seen_before_one_is_seen_again() -> None:
    budget = replace(BUDGET, steps=6)
    seen = [number for chosen in paper.batches(list(range(8)), budget, 5) for number in chosen]
    assert sorted(seen[:8]) == sorted(seen[8:16]) == list(range(8))
    assert seen == [n for chosen in paper.batches(list(range(8)), budget, 5) for n in chosen]
    assert seen != [n for chosen in paper.batches(list(range(8)), budget, 6) for n in chosen]


def test_learning_rate_rises_and_falls() -> None:
    budget = paper.Budget(steps=100, warmup_steps=10, learning_rate=2.0)
    rates = [paper.rate(step, budget) for step in range(100)]
    assert np.argmax(rates) == 9
    assert rates[9] == pytest.approx(2.0, rel=0.02)
    assert rates[55] == pytest.approx(1.0)
    assert rates == sorted(rates[:10]) + sorted(rates[10:], reverse=True)
    assert 0 < rates[-1] < 0.01


def leaves_on_a_background() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels, distance and a perfect embedding whose background points anywhere."""
    labels = np.zeros((64, 64), int)
    labels[4:20, 4:20], labels[4:20, 20:44], labels[26:44, 8:40] = 1, 2, 3
    directions = np.linalg.qr(np.random.default_rng(2).normal(size=(4, 4)))[0]
    return labels, distance_target(labels), directions[labels].astype(np.float32)


def test_turning_keeps_angles_and_makes_the_background_known() -> None:
    labels, distance, embedding = leaves_on_a_background()
    turned = paper.turn_background(distance, embedding)
    # Borders of leaves, where the distance is 0 too, turn the estimate by some degrees.
    assert (turned[labels == 0] @ background_direction(4)).min() > np.cos(np.deg2rad(10))
    pixels = np.random.default_rng(0).integers(0, 64, (2, 60))
    before, after = embedding[tuple(pixels)], turned[tuple(pixels)]
    np.testing.assert_allclose(after @ after.T, before @ before.T, atol=1e-5)


def test_turning_lets_leaves_be_segmented() -> None:
    labels, distance, embedding = leaves_on_a_background()
    turned = paper.turn_background(distance, embedding)
    found = segment_leaves(distance, turned, SegmentSettings())
    assert symmetric_best_dice(found, labels) == 1


def test_turning_nothing() -> None:
    embedding = np.broadcast_to(background_direction(4), (3, 3, 4))
    for level in (0, 1):  # the background is where it should be, or cannot be seen
        distance = np.full((3, 3), level, np.float32)
        np.testing.assert_array_equal(paper.turn_background(distance, embedding), embedding)


def test_the_papers_losses_are_asked_for() -> None:
    for constraint in paper.CONSTRAINTS:
        losses = paper.settings_of(constraint, BUDGET).losses
        assert (losses.distance, losses.intra, losses.inter, losses.contrast) == (1, 1, 1, 0)
        assert losses.constraint == constraint
        assert not losses.stop_gradient


def test_pictures_are_drawn_once_and_differ(tmp_path: Path) -> None:
    first = paper.load_pictures(tmp_path, paper.TEST_STREAM, 3, 64)
    (file,) = tmp_path.iterdir()
    before = file.stat().st_mtime_ns
    again = paper.load_pictures(tmp_path, paper.TEST_STREAM, 3, 64)
    assert file.stat().st_mtime_ns == before
    np.testing.assert_array_equal(first.rgb, again.rgb)
    other = paper.load_pictures(tmp_path, paper.TRAINING_STREAM, 3, 64)
    assert not np.array_equal(first.rgb, other.rgb)
    assert all(1 <= labels.max() <= 10 for labels in (*first.labels, *other.labels))


@pytest.mark.parametrize("arm", [True, False])
def test_a_run_is_done_once(tmp_path: Path, arm: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    run = paper.Run(arm, 4, "global", 1)
    trained: list[WNet] = []
    train = paper.train

    def spy(*arguments: object) -> object:
        trained.append(train(*arguments)[0])
        return trained[-1], {"distance": 0.0, "intra": 0.0, "inter": 0.0}

    monkeypatch.setattr(paper, "train", spy)
    done = paper.do_run(run, tmp_path, BUDGET)
    assert paper.do_run(run, tmp_path, BUDGET) == json.loads(json.dumps(done))
    assert [model.use_distance_features for model in trained] == [arm]
    assert len(done["pictures"]["sbd"]) == BUDGET.test_pictures
    assert done["mean"]["abs_dic"] == pytest.approx(np.abs(done["pictures"]["dic"]).mean())
    with pytest.raises(SystemExit, match="another budget"):
        paper.do_run(run, tmp_path, replace(BUDGET, learning_rate=1.0))


def test_training_moves_the_network() -> None:
    rng = np.random.default_rng(0)
    labels = np.zeros((64, 64), np.uint8)
    labels[10:30, 10:30], labels[30:50, 20:50] = 1, 2
    rgb = rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)
    samples = [paper.make_sample(rgb, labels, paper.settings_of("local", BUDGET))] * 2
    run = paper.Run(True, 4, "local", 0)
    budget = replace(BUDGET, batch_size=2)
    early = paper.train(run, samples, replace(budget, steps=2))[1]
    late = paper.train(run, samples, replace(budget, steps=16))[1]
    assert sum(late.values()) < 0.6 * sum(early.values())


def write_runs(folder: Path, sbd) -> None:
    """Write the JSON of all runs of three seeds, SBD as a function of the run."""
    for run in paper.all_runs(3):
        mean = {"sbd": sbd(run), "abs_dic": 1.0, "dic": -1.0, "foreground_dice": 0.9}
        losses = {"distance": 0.5, "intra": 0.05, "inter": 0.2}
        facts = {"budget": asdict(BUDGET), "mean": mean, "last_losses": losses, "cpu_seconds": 1.0}
        (folder / f"{run.name}.json").write_text(json.dumps({**asdict(run), **facts}))


def cells_of(table: str) -> list[list[str]]:
    return [[c.strip() for c in line.strip("|").split("|")] for line in table.splitlines()[2:]]


def known_sbd(run: paper.Run) -> float:
    """D-feat adds 10 points in the mean; few dimensions cost 12 with the global constraint."""
    noise = 0.01 * (run.seed - 1) * run.distance_features
    few = 0.12 * (run.embedding_dim == 4) * (run.constraint == "global")
    return 0.6 + 0.1 * run.distance_features - few + noise


def test_estimate_is_students_interval() -> None:
    values = [1.0, 2.5, 4.0, 2.0]
    ours = report.estimate(values)
    theirs = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert (ours.mean, ours.count) == (pytest.approx(2.375), 4)
    assert (ours.low, ours.high) == (pytest.approx(theirs.low), pytest.approx(theirs.high))
    assert str(ours) == f"+2.4 ({theirs.low:+.1f} to {theirs.high:+.1f}, 4 pairs)"


@pytest.mark.parametrize(
    ("values", "threshold", "verdict"),
    [
        ([9.0, 9.1, 8.9], 8, "holds"),
        ([7.0, 7.1, 6.9], 8, "does not hold"),
        ([7.0, 9.5, 8.2], 8, "undecided"),
        ([20.0], 8, "undecided"),
    ],
)
def test_verdicts(values: list[float], threshold: float, verdict: str) -> None:
    assert report.estimate(values).above(threshold) == verdict


def test_tables_tell_the_effects_that_are_there(tmp_path: Path) -> None:
    write_runs(tmp_path, known_sbd)
    runs = report.read_runs(tmp_path)
    cells = {tuple(row[1:3]): row[3:] for row in cells_of(report.cells_table(runs))}
    assert len(cells) == 6
    assert cells["16", "global"][:2] == ["70.0 ± 1.0", "60.0 ± 0.0"]
    assert cells["4", "global"][0] == "58.0 ± 1.0"
    assert all(row[-1] == "+10.0" for row in cells.values())
    claims = {row[1]: row[2:] for row in cells_of(report.claims_table(runs))}
    assert claims["D-feat raises SBD by more than 8 points"][0].startswith("+10.0 (+9.6 to +10.4")
    assert claims["D-feat raises SBD by more than 8 points"][1] == "holds"
    assert claims["local beats global at E = 4"] == ["+12.0 (+12.0 to +12.0, 6 pairs)", "holds"]
    assert claims["local beats global at E = 16"][1] == "does not hold"
    assert claims["local loses at most 2 points from E = 16 to E = 4"][1] == "holds"
    assert claims["local loses less than global from E = 16 to E = 4"][0].startswith("+12.0")
    assert len(cells_of(report.runs_table(runs))) == 36
    assert report.progress(runs) == (
        "- 3 steps: 36 runs; 12 of the 12 kinds of run are there, with 3 seeds; "
        "1 minutes of training on one core\n"
    )


def test_a_replicate_in_progress_is_reported_as_far_as_it_goes(tmp_path: Path) -> None:
    write_runs(tmp_path, known_sbd)
    for path in tmp_path.glob("*.json"):
        if "E04_local_seed0" not in path.name:
            path.unlink()
    runs = report.read_runs(tmp_path)
    assert "2 runs; 2 of the 12 kinds" in report.progress(runs)
    (row,) = cells_of(report.claims_table(runs))[:1]
    assert row[1:] == ["D-feat raises SBD", "+9.0 (1 pair)", "undecided"]
    assert len(cells_of(report.cells_table(runs))) == 1


def test_no_runs(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="no finished run"):
        report.read_runs(tmp_path)


def test_the_page_keeps_what_is_written_by_hand(tmp_path: Path) -> None:
    write_runs(tmp_path, known_sbd)
    page = tmp_path / "page.md"
    names = ("progress", *TABLES)
    parts = "".join(f"<!-- generated: {n} -->\n<!-- end of generated -->\n" for n in names)
    page.write_text(f"# By hand\n{parts}")
    report.write_report(tmp_path, page)
    text = page.read_text()
    assert text.startswith("# By hand\n") and text.count("\n| ---") == len(TABLES)


def test_the_page_in_docs_has_every_part() -> None:
    text = (ROOT / "docs" / "reproduction.md").read_text(encoding="utf-8")
    assert all(f"<!-- generated: {name} -->\n|" in text for name in TABLES)
