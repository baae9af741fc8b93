"""Records of averages over time on walls: symbol, dimension and definition of each."""

from __future__ import annotations

from flowgrad.kinematics import QUANTITIES, Record
from flowgrad.records import table

_STRESS = QUANTITIES["stress"].dimension
# One over that of a stress.
_RESIDENCE = "L T²/M or T²/L²"
_AVERAGE, _INDEX = "Ku et al. 1985", "He & Ku 1996"
_TRANSVERSE = "Peiffer, Sherwin & Weinberg 2013"
_WITHOUT = "in place of the stress where no viscosity is given."

# Those of WallStatistics.arrays, by their names there.
OVER_TIME = table(
    Record(
        "time_averaged_wall_shear_stress",
        r"\mathrm{TAWSS}",
        _STRESS,
        "magnitude",
        _AVERAGE,
        "Mean over time of the size of the wall shear stress, (1/T) ∫|τ| dt.",
        "time-averaged wall shear stress",
    ),
    Record(
        "time_averaged_wall_shear_rate",
        r"\mathrm{TAWSR}",
        "1/T",
        "magnitude",
        _AVERAGE,
        f"Mean over time of the wall shear rate, (1/T) ∫ γ̇ dt, {_WITHOUT}",
        "time-averaged wall shear rate",
    ),
    Record(
        "oscillatory_shear_index",
        r"\mathrm{OSI}",
        "1",
        "magnitude",
        _INDEX,
        "½ (1 − |∫τ dt| / ∫|τ| dt): 0 where the wall shear stress keeps its direction, ½ where it has no mean.",
    ),
    Record(
        "relative_residence_time",
        r"\mathrm{RRT}",
        _RESIDENCE,
        "magnitude",
        "Himburg et al. 2004",
        "1/((1 − 2 OSI) TAWSS): infinite where the wall shear stress has no mean.",
    ),
    Record(
        "transverse_wall_shear_stress",
        r"\mathrm{transWSS}",
        _STRESS,
        "magnitude",
        _TRANSVERSE,
        "(1/T) ∫|τ · (n × m)| dt, with m the mean direction of the wall shear stress.",
    ),
    Record(
        "transverse_wall_shear_rate",
        r"\mathrm{transWSR}",
        "1/T",
        "magnitude",
        _TRANSVERSE,
        f"The same of the shear rate, {_WITHOUT}",
    ),
    Record(
        "wall_shear_stress_mean",
        r"\bar\tau_w",
        _STRESS,
        "signed",
        _INDEX,
        "Mean over time of the wall shear stress, a vector, (1/T) ∫τ dt.",
        "mean wall shear stress",
    ),
    Record(
        "shear_rate_vector_mean",
        r"\bar{\dot\gamma}_t",
        "1/T",
        "signed",
        _INDEX,
        f"Mean over time of the shear rate on the wall, a vector, {_WITHOUT}",
        "mean shear rate on the wall",
    ),
)
