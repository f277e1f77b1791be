"""What the runs of `reproduce_paper.py` say, as the generated parts of docs/reproduction.md."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from phenopipe.files import write_text
from phenopipe.markdown import fill_parts, markdown_table

#: The paper's claim: D-feat raises mean SBD by more than this, in points (hundredths).
CLAIMED_POINTS = 8.0
#: "Needs few dimensions": from E = 16 to E = 4 it loses no more than this, in points.
TOLERATED_POINTS = 2.0
KEYS = ["steps", "distance_features", "embedding_dim", "constraint", "seed"]


@dataclass(frozen=True)
class Estimate:
    """Mean of differences in points of SBD, with its 95 % interval by Student's t."""

    mean: float
    low: float
    high: float
    count: int

    def __str__(self) -> str:
        if self.count < 2:
            return f"{self.mean:+.1f} (1 pair)"
        return f"{self.mean:+.1f} ({self.low:+.1f} to {self.high:+.1f}, {self.count} pairs)"

    def above(self, threshold: float) -> str:
        """Say whether the mean is above a threshold, as far as the interval tells."""
        if self.count >= 2 and self.low > threshold:
            return "holds"
        if self.count >= 2 and self.high <= threshold:
            return "does not hold"
        return "undecided"


def estimate(differences: Sequence[float]) -> Estimate:
    """Return the mean of differences and the range that it has with 95 % confidence."""
    values = np.asarray(differences, float)
    mean, count = float(values.mean()), len(values)
    if count < 2:
        return Estimate(mean, np.nan, np.nan, count)
    half = float(stats.t.ppf(0.975, count - 1) * values.std(ddof=1) / np.sqrt(count))
    return Estimate(mean, mean - half, mean + half, count)


def read_runs(folder: Path) -> pd.DataFrame:
    """Read all finished runs: `KEYS`, then their mean figures; SBD in points."""
    rows = []
    for path in sorted(folder.glob("*.json")):
        run = json.loads(path.read_text(encoding="utf-8"))
        row = {"steps": run["budget"]["steps"]} | {key: run[key] for key in KEYS[1:]}
        losses = {f"{name}_loss": value for name, value in run["last_losses"].items()}
        rows.append(row | run["mean"] | losses | {"cpu_seconds": run["cpu_seconds"]})
    if not rows:
        raise SystemExit(f"{folder}: holds no finished run")
    runs = pd.DataFrame(rows).sort_values(KEYS, ignore_index=True)
    return runs.assign(sbd=100 * runs["sbd"])


def differences(runs: pd.DataFrame, column: str, first: object, second: object) -> pd.Series:
    """Subtract SBD of runs with column = `second` from those with `first`, all else equal."""
    others = [key for key in KEYS if key != column]
    wide = runs.pivot(index=others, columns=column, values="sbd")
    wide = wide.reindex(columns=[first, second]).dropna()
    return wide[first] - wide[second]


def cells_table(runs: pd.DataFrame) -> str:
    """Return a row for each number of steps, E and constraint: both arms and what D-feat adds."""
    rows = []
    for (steps, dimension, constraint), cell in runs.groupby(KEYS[:1] + KEYS[2:4], sort=True):
        arms = [cell[cell["distance_features"] == arm] for arm in (True, False)]
        added = differences(cell, "distance_features", True, False)
        effect = f"{added.mean():+.1f}" if len(added) else ""
        figures = (_mean(arm, name) for name in ("sbd", "abs_dic") for arm in arms)
        rows.append((str(steps), str(dimension), str(constraint), *figures, effect))
    header = ("steps", "E", "constraint", "SBD with", "SBD without")
    return markdown_table(
        (*header, "abs DiC with", "abs DiC without", "D-feat adds, points of SBD"), rows
    )


def _mean(runs: pd.DataFrame, name: str) -> str:
    values = runs[name]
    if values.empty:
        return ""
    digits = 1 if name == "sbd" else 2
    spread = f" ± {values.std():.{digits}f}" if len(values) > 1 else ""
    return f"{values.mean():.{digits}f}{spread}"


def claims_table(runs: pd.DataFrame) -> str:
    """Return a row for each claim and number of steps."""
    rows = []
    for steps, part in runs.groupby("steps"):
        for name, found, threshold in _claims(part):
            rows.append((str(steps), name, str(found), found.above(threshold)))
    return markdown_table(("steps", "claim", "points of SBD (95 % interval)", "verdict"), rows)


def _claims(runs: pd.DataFrame) -> list[tuple[str, Estimate, float]]:
    """Return each claim, its estimate, and above what the estimate must be."""
    added = differences(runs, "distance_features", True, False)
    local = differences(runs, "constraint", "local", "global")
    dimension = local.index.get_level_values("embedding_dim")
    fewer = differences(runs, "embedding_dim", 4, 16).unstack("constraint")
    fewer = fewer.reindex(columns=["local", "global"])
    claims = [
        ("D-feat raises SBD", added, 0.0),
        (f"D-feat raises SBD by more than {CLAIMED_POINTS:g} points", added, CLAIMED_POINTS),
        ("local beats global at E = 4", local[dimension == 4], 0.0),
        ("local beats global at E = 16", local[dimension == 16], 0.0),
        (
            f"local loses at most {TOLERATED_POINTS:g} points from E = 16 to E = 4",
            fewer["local"],
            -TOLERATED_POINTS,
        ),
        (
            "local loses less than global from E = 16 to E = 4",
            fewer["local"] - fewer["global"],
            0.0,
        ),
    ]
    return [(name, estimate(v.dropna()), least) for name, v, least in claims if v.notna().any()]


def runs_table(runs: pd.DataFrame) -> str:
    """Return a row for each run."""
    rows = [
        (
            *(str(run.steps), str(run.embedding_dim), str(run.constraint), str(run.seed)),
            "with" if run.distance_features else "without",
            *(f"{run.sbd:.1f}", f"{run.dic:+.2f}", f"{run.abs_dic:.2f}"),
            *(f"{run.foreground_dice:.3f}", f"{run.distance_loss:.3f}"),
            *(f"{run.intra_loss:.4f}", f"{run.inter_loss:.4f}"),
        )
        for run in runs.itertuples()
    ]
    header = ("steps", "E", "constraint", "seed", "D-feat", "SBD", "DiC", "abs DiC")
    return markdown_table((*header, "foreground Dice", "L_dist", "L_intra", "L_inter"), rows)


def progress(runs: pd.DataFrame) -> str:
    """Return how many runs there are of each budget, and what they cost."""
    lines = []
    for steps, part in runs.groupby("steps"):
        seeds = part.groupby(KEYS[1:4]).size()
        minutes = part["cpu_seconds"].sum() / 60
        spread = " to ".join(str(n) for n in sorted({seeds.min(), seeds.max()}))
        lines.append(
            f"- {steps} steps: {len(part)} runs; {len(seeds)} of the 12 kinds of run are there, "
            f"with {spread} seeds; {minutes:.0f} minutes of training on one core\n"
        )
    return "".join(lines)


def write_report(folder: Path, page: Path) -> None:
    """Fill in the generated parts of a page: ``progress``, ``cells``, ``claims``, ``runs``."""
    runs = read_runs(folder)
    tables = {
        "progress": progress,
        "cells": cells_table,
        "claims": claims_table,
        "runs": runs_table,
    }
    text = page.read_text(encoding="utf-8")
    write_text(page, fill_parts(text, lambda name: tables[name](runs)))
