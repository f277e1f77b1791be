"""The gate: a new model takes its predecessor's place only if it is no worse."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

from phenopipe.files import copy_whole
from phenopipe.model.find import file_sha256
from phenopipe.train.validate import Score

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Verdict:
    """Whether a new model may replace its predecessor.

    Attributes
    ----------
    passed : bool
        Whether it may.
    reason : str
        One sentence with the figures.
    candidate : Score or None
        The new model's score; None if its training diverged.
    predecessor : Score or None
        The old one's on the same pictures, if there is an old one.
    """

    passed: bool
    reason: str
    candidate: Score | None
    predecessor: Score | None


def judge(candidate: Score, predecessor: Score | None, margin: float) -> Verdict:
    """Compare two scores by their mean SBD.

    Parameters
    ----------
    candidate, predecessor : Score
        On the same pictures; without a predecessor every model passes.
    margin : float
        How much lower the candidate's SBD may be.
    """
    new = candidate.symmetric_best_dice
    if predecessor is None:
        return Verdict(True, f"SBD {new:.4f}, no predecessor", candidate, None)
    old = predecessor.symmetric_best_dice
    passed = new >= old - margin
    relation = "is no worse than" if passed else "is worse than"
    reason = f"SBD {new:.4f} {relation} the predecessor's {old:.4f} (margin {margin})"
    return Verdict(passed, reason, candidate, predecessor)


class Gate:
    """The model files of a training, by what became of them.

    Parameters
    ----------
    folder : Path
        Holds ``candidate.safetensors``, what was trained, until it is judged;
        ``accepted.safetensors``, the model in use; ``replaced.safetensors``, the one before; and
        ``rejected.safetensors``, the last that did not pass.
    start : Path or None
        The weights that training starts from: in use until one passes.
    """

    def __init__(self, folder: Path, start: Path | None) -> None:
        self.candidate = folder / "candidate.safetensors"
        self.accepted = folder / "accepted.safetensors"
        self._replaced = folder / "replaced.safetensors"
        self._rejected = folder / "rejected.safetensors"
        self._start = start

    @property
    def in_use(self) -> Path | None:
        """The model that is used now, None if there is none."""
        return self.accepted if self.accepted.is_file() else self._start

    @property
    def predecessor(self) -> Path | None:
        """The model whose place the candidate is to take: never the candidate itself.

        A finished training that runs again, to be judged by other pictures or after it was killed
        at its end, gives the very candidate that was accepted.
        """
        if self.accepted.is_file() and file_sha256(self.accepted) == file_sha256(self.candidate):
            return self._replaced if self._replaced.is_file() else self._start
        return self.in_use

    def settle(self, name: str, verdict: Verdict, predecessor: Path | None) -> None:
        """Let the candidate take its predecessor's place, or keep it aside, loudly.

        Parameters
        ----------
        name : str
            Name of the model.
        verdict : Verdict
            What was decided.
        predecessor : Path or None
            What the candidate was compared with; one that is refused has one.
        """
        if verdict.passed or predecessor is None:
            log.info("model %s passes: %s", name, verdict.reason)
            if predecessor == self.accepted:
                copy_whole(self.accepted, self._replaced)
            self.candidate.replace(self.accepted)
            return
        if verdict.candidate is None:  # it diverged, and what there is of it is of no use
            self.candidate.unlink(missing_ok=True)
        else:
            self.candidate.replace(self._rejected)
        log.warning(
            "model %s DOES NOT PASS; going on with its predecessor, what was trained is kept in "
            "%s: %s",
            name,
            self.accepted.parent,
            verdict.reason,
        )
        if predecessor != self.accepted:
            copy_whole(predecessor, self.accepted)
