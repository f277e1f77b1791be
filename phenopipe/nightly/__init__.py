"""The command `nightly`: an unattended run that looks first, and tells how it went."""

from phenopipe.nightly.lock import BusyError
from phenopipe.nightly.night import run_night
from phenopipe.nightly.summary import BUSY, EXIT_CODES, Night, night_text

__all__ = ["BUSY", "EXIT_CODES", "BusyError", "Night", "night_text", "run_night"]
