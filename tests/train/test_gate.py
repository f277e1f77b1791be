"""The gate: a model takes its predecessor's place only if it is no worse, whenever it is judged."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from flat_pictures import save_flat
from tiny_training import SETTINGS

from phenopipe.config import DataSettings, ModelSettings, TrainSettings
from phenopipe.model.find import file_sha256
from phenopipe.model.rejection import rejection
from phenopipe.train import judge, train_model
from phenopipe.train.validate import Score

torch.set_num_threads(1)
SCORE = Score(10, 0.8, 0.5, 0.1, 0.9)


@pytest.mark.parametrize(
    ("new", "margin", "passed"),
    [(0.81, 0, True), (0.8, 0, True), (0.79, 0, False), (0.79, 0.02, True)],
)
def test_the_gate(new: float, margin: float, passed: bool) -> None:
    verdict = judge(replace(SCORE, symmetric_best_dice=new), SCORE, margin)
    assert verdict.passed is passed
    assert f"{new:.4f}" in verdict.reason


def test_the_first_model_passes() -> None:
    assert judge(replace(SCORE, symmetric_best_dice=0), None, 0).passed


def test_a_worse_model_is_kept_aside_and_the_old_one_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    scores = {"first": 0.5, "second": 0.4, "third": 0.6}
    sha = {}
    for number, (name, score) in enumerate(scores.items()):
        old = dict(sha)
        monkeypatch.setattr(
            "phenopipe.train.run_training.validate",
            lambda path, *_, s=score: replace(
                SCORE, symmetric_best_dice=s if path.name == "candidate.safetensors" else 0.5
            ),
        )
        settings = SETTINGS.model_copy(update={"seed": number})
        train_model("m", ModelSettings(weights=None, train=settings), tmp_path)
        sha[name] = file_sha256(tmp_path / "model.safetensors")
        metrics = json.loads((tmp_path / "metrics.json").read_text())
        assert metrics["passed"] is (name != "second")
        assert metrics["sha256"] == sha[name]
        assert (rejection(tmp_path) is None) is (name != "second")
        if name == "second":
            assert sha[name] == old["first"]
            assert "DOES NOT PASS" in caplog.text
            rejected = tmp_path / "training" / "rejected.safetensors"
            assert file_sha256(rejected) != sha[name]
            assert "NOT PASSED" in (tmp_path / "model_card.md").read_text()
    assert sha["third"] != sha["first"]


def test_a_finished_training_that_runs_again_is_not_judged_by_itself(tmp_path: Path) -> None:
    def train(seed: int) -> tuple[str, dict]:
        changed = SETTINGS.model_copy(update={"seed": seed, "gate_margin": 1.0})
        train_model("m", ModelSettings(weights=None, train=changed), tmp_path)
        metrics = json.loads((tmp_path / "metrics.json").read_text())
        return file_sha256(tmp_path / "model.safetensors"), metrics

    first, metrics = train(0)
    assert metrics["predecessor"] is None
    (tmp_path / "model.safetensors").unlink()  # as if killed before it was published
    assert train(0) == (first, metrics)
    second, metrics = train(1)
    assert metrics["predecessor"]
    assert train(1) == train(1) == (second, metrics) != (first, metrics)


def test_a_model_that_other_pictures_show_to_be_worse_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scores = {}

    def validate(path: Path, settings: TrainSettings, _sources: object) -> Score:
        by_pictures = scores[file_sha256(path)]
        return replace(SCORE, symmetric_best_dice=by_pictures[settings.validation_images])

    def train(seed: int, pictures: int) -> str:
        changed = SETTINGS.model_copy(update={"seed": seed, "validation_images": pictures})
        train_model("m", ModelSettings(weights=None, train=changed), tmp_path)
        return file_sha256(tmp_path / "model.safetensors")

    module = "phenopipe.train.run_training.validate"
    monkeypatch.setattr(module, lambda *_: SCORE)
    old, new = train(0, 2), train(1, 2)
    scores = {old: {2: 0.5, 9: 0.5}, new: {2: 0.6, 9: 0.4}}
    monkeypatch.setattr(module, validate)
    assert train(1, 2) == new
    assert train(1, 9) == old
    assert "NOT PASSED" in (tmp_path / "model_card.md").read_text()
    assert train(1, 2) == new


def test_a_predecessor_that_learned_what_is_kept_back_now_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def train(share: float, start: Path | None = None, folder: str = "m") -> str:
        leaves = {"path": str(tmp_path / "leaves"), "validation_share": share}
        data = [DataSettings(kind="synthetic"), DataSettings(kind="folder", **leaves)]
        changed = SETTINGS.model_copy(update={"data": data, "gate_margin": 1.0})
        settings = ModelSettings(weights=start and str(start), train=changed)
        return train_model("m", settings, tmp_path / folder).reason

    save_flat(tmp_path / "leaves", [f"p{number}" for number in range(12)], 180)
    seen = "the predecessor, which learned from some of these pictures of folder before"
    assert seen not in train(0.4) + train(0.3)

    def warned() -> int:  # the reason is logged too, as information
        return sum(r.levelname == "WARNING" and seen in r.getMessage() for r in caplog.records)

    assert warned() == 0
    assert seen in train(0.5)
    assert warned() == 1
    assert seen in json.loads((tmp_path / "m/metrics.json").read_text())["reason"]
    assert seen not in train(0.45)
    # What weights learned goes on with them into another folder, and into what starts from them.
    start = tmp_path / "m/model.safetensors"
    assert seen in train(0.65, start, "n")
    assert seen in train(0.6, start, "n")


def test_the_card_of_a_predecessor_that_stays_says_what_that_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scores = {"candidate.safetensors": 0.1, "accepted.safetensors": 0.9}
    monkeypatch.setattr(
        "phenopipe.train.run_training.validate",
        lambda path, *_: replace(SCORE, symmetric_best_dice=scores[path.name]),
    )
    for dimensions, steps, passed in ((4, 6, True), (8, 2, False)):
        changed = SETTINGS.model_copy(update={"embedding_dim": dimensions, "steps": steps})
        train_model("m", ModelSettings(weights=None, train=changed), tmp_path)
        card = (tmp_path / "model_card.md").read_text()
        assert "`tiny` with\n4 embedding dimensions, trained for 6 steps, made with phen" in card
        assert ("\n- **Learned from** synthetic" in card) is passed
        assert ("**The training that did not pass learned from** synthetic" in card) is not passed
        assert ("\n## Settings of the training\n" in card) is passed
        assert ("\n## Settings of the training that did not pass\n" in card) is not passed
