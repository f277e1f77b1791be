"""The stage `season`: growth rates, leaf emergence and leaf tracks over all image sets."""

from phenopipe.season.columns import GROWTH, TRACKS
from phenopipe.season.growth import growth_rates
from phenopipe.season.observations import usable_observations
from phenopipe.season.season_tables import Season, season_tables, write_season
from phenopipe.season.tracks import describe_tracks, link_leaves

__all__ = [
    "GROWTH",
    "TRACKS",
    "Season",
    "describe_tracks",
    "growth_rates",
    "link_leaves",
    "season_tables",
    "usable_observations",
    "write_season",
]
