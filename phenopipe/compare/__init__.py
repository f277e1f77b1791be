"""The stage `compare`: what changed, plant by plant, from one analysis to another."""

from phenopipe.compare.changes import plant_changes
from phenopipe.compare.columns import CHANGES, SUMMARY
from phenopipe.compare.comparison import Comparison, compare_analyses, write_comparison
from phenopipe.compare.sources import SetPaths, find_sets, set_paths
from phenopipe.compare.summary import summarize_changes, summary_lines

__all__ = [
    "CHANGES",
    "SUMMARY",
    "Comparison",
    "SetPaths",
    "compare_analyses",
    "find_sets",
    "plant_changes",
    "set_paths",
    "summarize_changes",
    "summary_lines",
    "write_comparison",
]
