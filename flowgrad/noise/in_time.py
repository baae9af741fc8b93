"""Noise of a series of velocities at fixed places: that of differences between successive steps.

(v' − v)/√2 has the noise of one step and nothing of a flow that is steady, however fine. What changes in time is told
from noise as in one field (:func:`flowgrad.noise.noise_of`): by its smoothness in space.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from flowgrad.mesh import Lattice
from flowgrad.noise.estimate import FoundNoise, noise_of
from flowgrad.typing import FloatArray

# Noise in time that exceeds by this factor what one field shows is not noise alone.
_BEYOND = 1.15


def noise_in_time(sites: Lattice | FloatArray, steps: Sequence[FloatArray]) -> FoundNoise | None:
    """The noise of velocities (n, 3) at successive steps at the points of a lattice or at positions (n, 3); None of one
    step, and where what changes between steps is not noise, or not noise alone."""
    pairs = itertools.pairwise(steps)
    found = [noise_of(sites, (after - before) / np.sqrt(2)) for before, after in pairs]
    if not found or not all(each.found for each in found):
        return None
    deviation = np.sqrt(np.mean([each.deviation**2 for each in found], axis=0))
    in_space = noise_of(sites, steps[0])
    bound = np.linalg.norm(in_space.deviation)
    if (in_space.found or in_space.doubt) and bound and np.linalg.norm(deviation) > _BEYOND * bound:
        return None
    local = None
    if any(each.local is not None for each in found):
        local = np.sqrt(np.mean([each.of_samples**2 for each in found], axis=0))
    # Neighbouring differences share a step.
    error = np.mean([each.error for each in found], axis=0) * np.sqrt(1.5 / max(len(found), 1.5))
    window = float(np.median([each.window for each in found]))
    return FoundNoise(deviation, error, window, True, in_space.outlier, local)
