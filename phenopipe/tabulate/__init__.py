"""The stage `tabulate`: measurements joined with metadata, units and flags; tables for people."""

from phenopipe.tabulate.columns import KEYS, LEAVES, PLANTS, Column
from phenopipe.tabulate.flags import FAILED, FLAGS, has_flag
from phenopipe.tabulate.pots import join_pots
from phenopipe.tabulate.rows import Provenance, leaf_rows, plant_rows
from phenopipe.tabulate.sheet import read_plants_sheet
from phenopipe.tabulate.summary import summarize, write_summary
from phenopipe.tabulate.table_files import read_table, table_schema, write_table
from phenopipe.tabulate.tabulate_set import tabulate_set

__all__ = [
    "FAILED",
    "FLAGS",
    "KEYS",
    "LEAVES",
    "PLANTS",
    "Column",
    "Provenance",
    "has_flag",
    "join_pots",
    "leaf_rows",
    "plant_rows",
    "read_plants_sheet",
    "read_table",
    "summarize",
    "table_schema",
    "tabulate_set",
    "write_summary",
    "write_table",
]
