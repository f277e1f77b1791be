"""Try many settings of `segment` on stored predictions, and propose one."""

from phenopipe.sweep.columns import SWEEP
from phenopipe.sweep.grid import Grid, parse_axis
from phenopipe.sweep.propose import proposed_block
from phenopipe.sweep.sweep import Sweep, sweep_predictions
from phenopipe.sweep.write import sweep_lines, write_sweep

__all__ = [
    "SWEEP",
    "Grid",
    "Sweep",
    "parse_axis",
    "proposed_block",
    "sweep_lines",
    "sweep_predictions",
    "write_sweep",
]
