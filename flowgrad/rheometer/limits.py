"""Limits of an instrument in steady shear: the least torque, and the rate at which inertia makes the flow secondary.

After Ewoldt, Johnston & Caretta 2015, "Experimental challenges of shear rheology", in Spagnolie, Complex Fluids in
Biological Systems, chapter 6: a torque M_min is seen as the viscosity F_τ M_min/γ̇, F_τ the stress
constant τ/M; in cones and plates of the radius R and the gap L at the rim the flow is secondary above
Re = ρL³γ̇/(ηR) = 4, where the torque is 1 % too large (Turian 1972, Ind. Eng. Chem. Fundam. 11, 361). Between cylinders
of which the inner one turns, vortices begin at ρ²Ω²(R_o − R_i)³R_i/η² = 1700 (Taylor 1923; Larson 1992, Rheol. Acta 31,
213).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from flowgrad.rheometer.cylinders import representative
from flowgrad.rheometer.options import Reading
from flowgrad.typing import FloatArray

CRITICAL_REYNOLDS = 4.0
CRITICAL_TAYLOR = 1700.0


@dataclass(frozen=True)
class InstrumentLimits:
    """What is not measured: stresses below ``stress`` [Pa], and viscosities below ``inertia``·γ̇ (``inertia`` in
    Pa s²); 0 for a limit that is not known."""

    stress: float = 0.0
    inertia: float = 0.0

    def least_stress(self, rate: FloatArray) -> dict[str, FloatArray]:
        """Stresses (n,) below which points at shear rates (n,) are beyond each limit that is known."""
        known = {"lowest torque": self.stress + 0 * rate, "secondary flow": self.inertia * rate**2}
        return {name: values for name, values in known.items() if np.any(values > 0)}


def limits_of(reading: Reading, stress_constant: float = 0.0) -> InstrumentLimits:
    """The limits that the options of a reading tell: lowest torque and stress constant (that of the table where none is
    given) or lowest stress; density with gap and radius, or with the radii of cylinders."""
    constant = stress_constant if reading.stress_constant is None else reading.stress_constant
    stress = max(reading.lowest_stress, reading.lowest_torque * constant)
    inertia = 0.0
    if reading.density is not None and reading.radii is not None:
        inner, outer = reading.radii
        # Ω of the representative rate.
        inertia = reading.density * np.sqrt((outer - inner) ** 3 * inner / CRITICAL_TAYLOR)
        inertia /= representative(inner, outer)[0]
    elif reading.density is not None and reading.gap is not None and reading.radius is not None:
        inertia = reading.density * reading.gap**3 / (reading.radius * CRITICAL_REYNOLDS)
    return InstrumentLimits(float(stress), float(inertia))
