"""A scheme that knows the answer, for tests of what is made of a scheme's gradients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from flowgrad import Autodiff
from flowgrad.gradient import Operator, Scheme


def velocity(x):
    return np.stack([np.sin(x[:, 0]) * x[:, 1], np.cos(x[:, 2]), x[:, 0] * x[:, 1] * x[:, 2]], axis=-1)


def gradient(x):
    X, Y, Z = x.T
    rows = [
        [np.cos(X) * Y, np.sin(X), 0 * X],
        [0 * X, 0 * X, -np.sin(Z)],
        [Y * Z, X * Z, X * Y],
    ]
    return np.moveaxis(np.array(rows), -1, 0)


def hessian(x):
    X, Y, Z = x.T
    H = np.zeros((len(x), 3, 3, 3))
    H[:, 0, 0, 0] = -np.sin(X) * Y
    H[:, 0, 0, 1] = H[:, 0, 1, 0] = np.cos(X)
    H[:, 1, 2, 2] = -np.cos(Z)
    for (j, k), value in {(0, 1): Z, (0, 2): Y, (1, 2): X}.items():
        H[:, 2, j, k] = H[:, 2, k, j] = value
    return H


def positions_of(flow, at):
    if not isinstance(at, str):
        return at
    return flow.mesh.points if at == "points" else flow.mesh.centroids


@dataclass(frozen=True)
class Known(Scheme):
    """The exact gradient and second derivatives of the velocity above; NaN where x < 0."""

    def prepare(self, flow, at):
        return KnownOperator(positions_of(flow, at))


@dataclass(frozen=True, eq=False)
class KnownOperator(Operator):
    positions: np.ndarray

    @property
    def matrices(self):
        raise NotImplementedError

    def vectors(self, values):
        return np.where(self.positions[:, :1, None] < 0, np.nan, gradient(self.positions))

    def second(self, values):
        return np.where(self.positions[:, :1, None, None] < 0.5, np.nan, hessian(self.positions))


@dataclass(frozen=True)
class Checked(Autodiff):
    """Autodiff, told its error by the exact gradient; counts how often it is prepared."""

    prepared: ClassVar[list] = []

    def prepare(self, flow, at):
        self.prepared.append(at)
        return super().prepare(flow, at)

    def finer(self):
        return Known()
