"""Walls: the shear rate on them, the stress of the fluid, and the force that it exerts."""

from flowgrad.walls.compute import at_walls
from flowgrad.walls.records import RECORDS
from flowgrad.walls.summary import walls_summary
from flowgrad.walls.walls import Walls

__all__ = ["RECORDS", "Walls", "at_walls", "walls_summary"]
