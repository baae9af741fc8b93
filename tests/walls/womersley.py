"""Pulsating flow in a pipe, of Womersley 1955 (J. Physiol. 127, 553), for the tests."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import jv

from flowgrad import Flow, Mesh, Series
from flowgrad.flow import Patch
from scripts.round_meshes import pipe
from tests.walls.flows import places, side


@dataclass(frozen=True)
class Womersley:
    """Flow along z in a pipe of radius 1 by the pressure gradient G + Re(K e^{iωt}): the velocity is
    G (1 − r²)/(4μ) + Re[K/(iωρ) (1 − J₀(λr)/J₀(λ)) e^{iωt}] with λ = i^{3/2} α and α² = ωρ/μ."""

    steady: float = 0.4
    pulse: float = 3.0
    alpha: float = 4.0
    viscosity: float = 0.5
    period: float = 2.0

    @property
    def _waves(self) -> tuple[complex, complex]:
        """λ, and K/(iωρ)."""
        density = self.viscosity * self.alpha**2 * self.period / (2 * np.pi)
        return self.alpha * 1j**1.5, self.pulse / (2j * np.pi / self.period * density)

    def velocity(self, x, t):
        r = np.hypot(x[:, 0], x[:, 1])
        k, factor = self._waves
        wave = factor * (1 - jv(0, k * r) / jv(0, k)) * np.exp(2j * np.pi * t / self.period)
        speed = self.steady * (1 - r**2) / (4 * self.viscosity) + wave.real
        return speed[:, None] * [0.0, 0.0, 1.0]

    def wall_shear_stress(self, t):
        """−μ ∂w/∂r, along z."""
        k, factor = self._waves
        wave = -self.viscosity * factor * k * jv(1, k) / jv(0, k)
        return self.steady / 2 + (wave * np.exp(2j * np.pi * np.asarray(t) / self.period)).real

    @property
    def averages(self):
        """TAWSS, OSI and RRT of |s + A cos θ|, whose mean over θ is (2/π)(√(A² − s²) + s asin(s/A)) for |s| < A."""
        k, factor = self._waves
        s, A = self.steady / 2, abs(self.viscosity * factor * k * jv(1, k) / jv(0, k))
        tawss = abs(s) if abs(s) >= A else 2 / np.pi * (np.sqrt(A**2 - s**2) + s * np.arcsin(s / A))
        osi = (1 - abs(s) / tawss) / 2
        return tawss, osi, 1 / ((1 - 2 * osi) * tawss)


def layered_pipe(kind, location, n=12, growth=1.5):
    """A pipe whose rings are thinner towards the wall, which the faces meet where the velocity is known."""
    mesh = pipe(kind, n, 4, length=0.4, touch="points" if location == "points" else "faces", rings=n)
    r = np.hypot(*mesh.points.T[:2])
    largest = r.max()
    inner = np.minimum(r / largest, 1.0)
    factor = np.where(r > 0, (1 - (1 - inner) ** growth) / np.where(inner > 0, inner, 1.0), growth)
    return Mesh(mesh.points * np.column_stack([factor, factor, np.ones_like(factor)]), mesh.cells)


def pulsating(exact, kind="hexahedron", location="points", times=None, n=12, turn=None):
    """The series over a period, and which of the boundary faces are the wall."""
    mesh = layered_pipe(kind, location, n)
    times = np.linspace(0, exact.period, 41) if times is None else times
    wall = side(mesh)
    turn = np.eye(3) if turn is None else turn
    turned = Mesh(mesh.points @ turn.T, mesh.cells)
    faces = np.flatnonzero(wall)
    patch = (Patch("wall", faces, np.zeros((len(faces), 3))),) if location == "cells" else ()
    flows = [
        Flow(turned, exact.velocity(places(mesh, location), t) @ turn.T, location, float(t), boundary=patch)
        for t in times
    ]
    return Series.from_flows(flows), wall
