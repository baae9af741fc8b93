"""What the benchmark of paths times is the same thing."""

import numpy as np
import pytest

pytest.importorskip("vtkmodules")

from flowgrad.paths import ftle
from scripts.benchmarks import paths


@pytest.mark.parametrize("name", paths.PEERS)
def test_the_peers_give_the_same_exponents(name):
    case = paths.Case(40)
    flow, seeds = case.flow, case.seeds(200)
    seeds = seeds[(np.abs(seeds - np.pi) < 2).all(axis=1)]
    ours = ftle(flow, seeds, 0.0, paths.DURATION, steps=paths.STEPS).values
    theirs = paths.exponents(paths.deformed(paths.PEERS[name](flow, case), seeds, paths.STEPS))
    assert np.sqrt(np.mean((theirs - ours) ** 2) / np.mean(ours**2)) < 1e-3
