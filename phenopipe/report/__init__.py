"""The stage `report`: pages to look at, each a single file that needs no network."""

from phenopipe.report.costs import CostFiles, set_cost_files
from phenopipe.report.overlay import draw_overlay, leaf_colours
from phenopipe.report.season_report import write_season_report
from phenopipe.report.set_report import write_set_report

__all__ = [
    "CostFiles",
    "draw_overlay",
    "leaf_colours",
    "set_cost_files",
    "write_season_report",
    "write_set_report",
]
