"""Walls: the shear rate on them, the stress of the fluid, and the force that it exerts."""

from flowgrad.walls.at_walls import PreparedWalls, at_walls
from flowgrad.walls.records import RECORDS
from flowgrad.walls.result import Walls, walls_summary

__all__ = ["RECORDS", "PreparedWalls", "Walls", "at_walls", "walls_summary"]
