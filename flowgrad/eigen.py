"""Compiled eigenvalues and eigenvectors of symmetric 3 × 3 tensors.

The eigenvalue farthest from the others is a well-conditioned root of the characteristic polynomial of the
deviator; its eigenvector leads to a 2 × 2 problem for the other two (Scherzinger & Dohrmann 2008, Comput.
Methods Appl. Mech. Eng. 197, 4007). Accurate to rounding also where two or three nearly coincide, where the
trigonometric formula loses half the digits.
"""

from __future__ import annotations

import math
from typing import Any

from flowgrad.kernels import inlined, kernel


@inlined
def _farthest(J2: float, J3: float) -> float:
    """The root of s³ − J2 s − J3 farthest from the other two, J2 > 0: x³ − 3x = 2t with √3 ≤ |x| ≤ 2, by Newton's
    method from a parabola in t that is within 2e-3."""
    p = math.sqrt(J2 / 3)
    t = min(abs(J3) / (2 * p * p * p), 1.0)
    x = 1.7320508 + t * (0.3256 - 0.0577 * t)
    for _ in range(3):
        x -= (x * (x * x - 3) - 2 * t) / (3 * (x * x - 1))
    return math.copysign(p * x, J3)


@inlined
def _null_vector(a: float, b: float, c: float, d: float, e: float, f: float) -> Any:
    """Unit vector normal to the rows of a symmetric tensor of rank two: the longest of their cross products."""
    x, y, z = d * e - f * b, f * d - a * e, a * b - d * d
    longest = x * x + y * y + z * z
    u, v, w = b * c - e * e, e * f - d * c, d * e - b * f
    length = u * u + v * v + w * w
    if length > longest:
        x, y, z, longest = u, v, w, length
    u, v, w = e * f - c * d, c * a - f * f, f * d - e * a
    length = u * u + v * v + w * w
    if length > longest:
        x, y, z, longest = u, v, w, length
    inverse = 1 / math.sqrt(longest)
    return x * inverse, y * inverse, z * inverse


@inlined
def _across(x: float, y: float, z: float) -> Any:
    """Two unit vectors normal to a unit vector and to each other (Duff et al. 2017, J. Comput. Graph. Tech. 6)."""
    sign = math.copysign(1.0, z)
    a = -1 / (sign + z)
    b = x * y * a
    return 1 + sign * x * x * a, sign * b, -sign * x, b, sign + y * y * a, -y


@inlined
def _form(a: float, b: float, c: float, d: float, e: float, f: float, u: Any, v: Any) -> float:
    """u·A·v."""
    return (
        u[0] * (a * v[0] + d * v[1] + f * v[2])
        + u[1] * (d * v[0] + b * v[1] + e * v[2])
        + u[2] * (f * v[0] + e * v[1] + c * v[2])
    )


@inlined
def _reduced(A: Any) -> Any:
    """Scale, mean and deviator of a tensor, its farthest eigenvalue with the eigenvector n, the directions u, v
    across it, and half the trace, half the difference and the shear of the 2 × 2 tensor there."""
    a, b, c = A[0, 0], A[1, 1], A[2, 2]
    d, e, f = A[0, 1], A[1, 2], A[0, 2]
    scale = max(max(max(abs(a), abs(b)), max(abs(c), abs(d))), max(abs(e), abs(f)))
    scale = scale if scale > 1e-307 else 1.0
    a, b, c, d, e, f = a / scale, b / scale, c / scale, d / scale, e / scale, f / scale
    mean = (a + b + c + 0 * (d + e + f)) / 3  # NaN where any component is not finite
    a, b, c = a - mean, b - mean, c - mean
    J2 = 0.5 * (a * a + b * b + c * c) + d * d + e * e + f * f
    s, n, u, v = 0.0, (0.0, 0.0, 1.0), (1.0, 0.0, 0.0), (0.0, 1.0, 0.0)
    if J2 > 1e-33:
        s = _farthest(J2, a * (b * c - e * e) - d * (d * c - e * f) + f * (d * e - b * f))
        x, y, z = _null_vector(a - s, b - s, c - s, d, e, f)
        n = (x, y, z)
        u0, u1, u2, v0, v1, v2 = _across(x, y, z)
        u, v = (u0, u1, u2), (v0, v1, v2)
    uu, vv, uv = _form(a, b, c, d, e, f, u, u), _form(a, b, c, d, e, f, v, v), _form(a, b, c, d, e, f, u, v)
    return scale, mean, s, n, u, v, 0.5 * (uu + vv), 0.5 * (uu - vv), uv


@kernel()
def symmetric_eigenvalues(A: Any, values: Any) -> None:
    """Eigenvalues (n, 3), descending, of the symmetric tensors A (n, 3, 3); NaN where A is not finite."""
    for i in range(len(A)):
        scale, mean, s, _, _, _, middle, half, shear = _reduced(A[i])
        h = math.sqrt(half * half + shear * shear)
        one, two, three = (0, 1, 2) if s < 0 else (1, 2, 0)
        values[i, one] = (mean + middle + h) * scale
        values[i, two] = (mean + middle - h) * scale
        values[i, three] = (mean + s) * scale


@kernel()
def symmetric_eigensystem(A: Any, values: Any, vectors: Any) -> None:
    """The same, and unit eigenvectors as columns (n, 3, 3)."""
    for i in range(len(A)):
        scale, mean, s, n, u, v, middle, half, shear = _reduced(A[i])
        h = math.sqrt(half * half + shear * shear)
        across, along = (half + h, shear) if half >= 0 else (shear, h - half)
        length = math.sqrt(across * across + along * along)
        across, along = (across / length, along / length) if length > 0 else (1.0, 0.0)
        one, two, three = (0, 1, 2) if s < 0 else (1, 2, 0)
        values[i, one] = (mean + middle + h) * scale
        values[i, two] = (mean + middle - h) * scale
        values[i, three] = (mean + s) * scale
        unknown = 0 * mean
        for k in range(3):
            vectors[i, k, one] = across * u[k] + along * v[k] + unknown
            vectors[i, k, two] = across * v[k] - along * u[k] + unknown
            vectors[i, k, three] = n[k] + unknown
