"""Paths of particles through a flow, and the deformation of the fluid along them."""

from __future__ import annotations

import sys

from flowgrad.paths.deformation import FTLE, Deformation, deformation, ftle
from flowgrad.paths.pathlines import Paths, flow_map, pathlines
from flowgrad.paths.records import RECORDS
from flowgrad.paths.streamlines import Streamlines, streamlines

__all__ = [
    "FTLE",
    "RECORDS",
    "Deformation",
    "Paths",
    "Streamlines",
    "deformation",
    "flow_map",
    "ftle",
    "pathlines",
    "streamlines",
]

# Alias of the module's former name: from flowgrad.paths.ftle import FTLE.
sys.modules[f"{__name__}.ftle"] = sys.modules[f"{__name__}.deformation"]
