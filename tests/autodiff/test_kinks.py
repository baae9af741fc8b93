"""What stands where a derivative does not exist: the table of docs/functions.md."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from flowgrad.autodiff import jacobian

KINKS: dict[str, Callable[[Any, Any], Any]] = {
    "abs": lambda m, x: m.abs(x[0]),
    "hypot": lambda m, x: m.hypot(x[0], x[1]),
    "norm": lambda m, x: m.linalg.norm(x),
    "maximum": lambda m, x: m.maximum(x[0], 0 * x[1]),
    "clip": lambda m, x: m.clip(x[0], 0, 1),
    "floor": lambda m, x: m.floor(x[0]),
    "sign": lambda m, x: m.sign(x[0]),
}
FOUND = {
    "numpy": dict.fromkeys(KINKS, np.nan),
    "torch": {"abs": 0, "hypot": np.nan, "norm": 0, "maximum": 0.5, "clip": 1, "floor": 0, "sign": 0},
    "jax": {"abs": 1, "hypot": 0.5, "norm": np.nan, "maximum": 0.5, "clip": 0.5, "floor": 0, "sign": 0},
}


@pytest.mark.parametrize("backend", FOUND)
@pytest.mark.parametrize("name", KINKS)
def test_derivatives_at_kinks_are_those_of_the_table(name, backend):
    pytest.importorskip(backend)
    module = importlib.import_module("jax.numpy" if backend == "jax" else backend)
    found = jacobian(lambda x: KINKS[name](module, x), np.zeros(2), backend=backend)
    np.testing.assert_array_equal(found[..., 0], FOUND[backend][name])


def test_a_choice_of_ones_own_has_the_derivative_of_its_branch():
    np.testing.assert_array_equal(jacobian(lambda x: np.where(x > 0, x, 0 * x), np.zeros(1)), [[0]])
