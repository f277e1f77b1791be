"""Find images, read what their names or a sheet say of them, and share them out to shards.

Everything here works on names, sizes and times of files; no picture is opened.
"""

from phenopipe.plan.make import (
    find_sets,
    iter_rosters,
    make_roster,
    open_source,
    require_images,
)
from phenopipe.plan.names import printable, set_key, set_name
from phenopipe.plan.pattern import FilePattern
from phenopipe.plan.read import iter_lines, read_plan
from phenopipe.plan.roster import (
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
