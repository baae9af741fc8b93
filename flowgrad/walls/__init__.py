"""Walls: the shear rate on them, the stress of the fluid, the force that it exerts, and averages over a series."""

from flowgrad.walls.at_walls import PreparedWalls, at_walls
from flowgrad.walls.records import RECORDS
from flowgrad.walls.result import Walls
from flowgrad.walls.series import wall_statistics, wall_statistics_summary
from flowgrad.walls.series_records import OVER_TIME
from flowgrad.walls.statistics import WallStatistics
from flowgrad.walls.summary import walls_summary
from flowgrad.walls.surface import WallSurface

__all__ = [
    "OVER_TIME",
    "RECORDS",
    "PreparedWalls",
    "WallStatistics",
    "WallSurface",
    "Walls",
    "at_walls",
    "wall_statistics",
    "wall_statistics_summary",
    "walls_summary",
]
