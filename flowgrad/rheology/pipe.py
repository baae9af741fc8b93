"""Laminar flow of a generalised Newtonian fluid through a round pipe, and its generalised Reynolds number.

With the apparent rate Γ = 8V/D, wall stress τ_w and wall rate γ̇_w (Weissenberg, Rabinowitsch and Mooney; Metzner & Reed
1955, AIChE J. 1, 434):

    Γ = (4/τ_w³) ∫ τ² γ̇ dτ = (4/3)(γ̇_w − τ_w⁻³ ∫₀^γ̇_w τ³ dγ̇),    γ̇_w/Γ = (3n' + 1)/(4n'),    Re = 8ρV²/τ_w,

so that the friction factor is 16/Re for every fluid; for a power law Re = ρ V^(2−n) D^n/(8^(n−1) K'),
K' = K((3n + 1)/(4n))^n.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from flowgrad.errors import OptionError
from flowgrad.reprs import ReprMixin
from flowgrad.rheology.model import Model, parse_model

# Nodes of the quadrature over the rates from 0 to the wall's, and the power that crowds them towards 0.
_NODES, _CROWDING = 128, 4
_DECADES = 40


@dataclass(frozen=True)
class PipeFlow(ReprMixin):
    """Laminar flow with mean velocity ``speed`` V through a pipe of ``diameter`` D: ``wall_shear_rate`` γ̇_w (1/T),
    ``wall_shear_stress`` τ_w, ``flow_index`` n' = d log τ_w/d log(8V/D), and ``reynolds_number``, that of Metzner &
    Reed; stresses are divided by the density where the model is kinematic."""

    law: Model
    speed: float
    diameter: float
    density: float
    wall_shear_rate: float

    @property
    def apparent_rate(self) -> float:
        """8V/D, the wall shear rate of a Newtonian fluid."""
        return 8 * self.speed / self.diameter

    @property
    def wall_shear_stress(self) -> float:
        """τ_w."""
        return float(self.law.stress(self.wall_shear_rate))

    @property
    def pressure_gradient(self) -> float:
        """Fall of the pressure along the pipe, 4τ_w/D."""
        return 4 * self.wall_shear_stress / self.diameter

    @property
    def flow_index(self) -> float:
        """n' = d log τ_w/d log(8V/D): 1 for a Newtonian fluid, n for a power law."""
        return 1 / (4 * self.wall_shear_rate / self.apparent_rate - 3)

    @property
    def reynolds_number(self) -> float:
        """8ρV²/τ_w."""
        return 8 * self.density * self.speed**2 / self.wall_shear_stress


def pipe_flow(law: Model | str, speed: float, diameter: float, density: float = 1.0) -> PipeFlow:
    """Laminar flow of a model, or its text such as ``carreau(…)``, through a pipe.

    ``speed`` (L/T) is the mean velocity, ``diameter`` (L); ``density`` (M/L³) is 1 for a kinematic model. Raises
    OptionError for numbers that are not positive, and where no wall rate gives this speed.
    """
    for name, value in (("speed", speed), ("diameter", diameter), ("density", density)):
        if not 0 < value < np.inf:
            raise OptionError(f"the {name} is {value}: give a positive number")
    model = parse_model(law) if isinstance(law, str) else law
    return PipeFlow(model, speed, diameter, density, _wall_rate(model, 8 * speed / diameter))


def _wall_rate(law: Model, apparent: float) -> float:
    from scipy.optimize import brentq

    def excess(log_rate: float) -> float:
        return _apparent(law, np.exp(log_rate)) / apparent - 1

    middle = np.log(apparent)
    for width in np.log(10) * np.arange(1.0, _DECADES):
        if excess(middle - width) < 0 < excess(middle + width):
            return float(np.exp(brentq(excess, middle - width, middle + width, xtol=1e-14, rtol=1e-14)))
    raise OptionError(
        f"no laminar flow of {law} has the apparent rate 8V/D = {apparent:g}: its stress does not rise with the rate"
    )


def _apparent(law: Model, wall_rate: float) -> float:
    """8V/D of a wall shear rate."""
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    s = 0.5 * (nodes + 1)
    rates = wall_rate * s**_CROWDING
    shares = 0.5 * weights * _CROWDING * s ** (_CROWDING - 1)
    ratio = law.stress(rates) / law.stress(wall_rate)
    return float(4 / 3 * wall_rate * (shares @ (1 - ratio**3)))
