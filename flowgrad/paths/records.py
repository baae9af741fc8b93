"""Records of the quantities of paths: symbol, dimension and definition, as the registry has them of quantities of L."""

from __future__ import annotations

from flowgrad.kinematics import Record
from flowgrad.records import table


def _tensor(name: str, symbol: str, reference: str, description: str, words: str) -> Record:
    return Record(name, symbol, "1", "signed", reference, description, words)


_MOTION = "Truesdell & Noll 1965, §§21–23"
_STRAIN = "Malvern 1969, §4.5"

# Attributes of Deformation, and ftle, which is an FTLE's values.
RECORDS = table(
    Record(
        "ftle",
        r"\sigma_{t_0}^T",
        "1/T",
        "magnitude",
        "Shadden, Lekien & Marsden 2005, Physica D 212, 271, eq. 9",
        "Finite-time Lyapunov exponent ln √λ_max(FᵀF) over the length of a duration T.",
        "FTLE",
    ),
    _tensor("F", "F", _MOTION, "∂x(t1)/∂x(t0), of dF/dt = L F with F = I at t0.", "deformation gradient"),
    _tensor("C", "C", _MOTION, "Right Cauchy–Green tensor FᵀF.", "right Cauchy–Green tensor"),
    _tensor("B", "B", _MOTION, "Left Cauchy–Green (Finger) tensor F Fᵀ.", "left Cauchy–Green tensor"),
    _tensor("R", "R", _MOTION, "Rotation of the polar decomposition F = R U = V R.", "rotation"),
    _tensor("U", "U", _MOTION, "Right stretch tensor √C.", "right stretch tensor"),
    _tensor("V", "V", _MOTION, "Left stretch tensor √B.", "left stretch tensor"),
    _tensor("directions", "q_i", _MOTION, "Unit eigenvectors of U as columns, in the stretches' order.", ""),
    _tensor("green_lagrange", "E", _STRAIN, "Green's (Lagrange's) strain (C − I)/2.", "Green–Lagrange strain"),
    _tensor("almansi", "e", _STRAIN, "Almansi's (Euler's) strain (I − B⁻¹)/2.", "Almansi strain"),
    _tensor("hencky", "H", "Hencky 1928, Z. Techn. Phys. 9, 215", "Hencky's strain ln U.", "Hencky strain"),
    Record("stretches", r"\lambda_i", "1", "magnitude", _MOTION, "Principal stretches, descending."),
    Record("volume_ratio", "J", "1", "magnitude", _MOTION, "det F, the volume at t1 over that at t0."),
)
