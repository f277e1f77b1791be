"""Find images, read what their names or a sheet say of them, and share them out to shards."""

from .make import (
    find_sets,
    iter_rosters,
    make_roster,
    open_source,
    require_images,
)
from .names import printable, set_key, set_name
from .pattern import FilePattern
from .read import iter_lines, read_plan
from .roster import (
    METADATA,
    Roster,
    RosterRow,
    read_roster,
    write_plan,
    write_roster,
)

__all__ = [
    "METADATA",
    "FilePattern",
    "Roster",
    "RosterRow",
    "find_sets",
    "iter_lines",
    "iter_rosters",
    "make_roster",
    "open_source",
    "printable",
    "read_plan",
    "read_roster",
    "require_images",
    "set_key",
    "set_name",
    "write_plan",
    "write_roster",
]
