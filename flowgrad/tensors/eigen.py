"""Eigenvalues and eigenvectors of symmetric 3 × 3 tensors, compiled.

The eigenvalue farthest from the others is a well-conditioned root of the characteristic polynomial of the
deviator; its eigenvector leads to a 2 × 2 problem for the other two (Scherzinger & Dohrmann 2008, Comput.
Methods Appl. Mech. Eng. 197, 4007). Accurate to rounding also where two or three nearly coincide, where the
trigonometric formula loses half the digits.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from flowgrad.compiled import called, inlined, kernel

# Tensors that are computed several at a time: loops without branches over components side by side.
_TOGETHER = 256


@inlined
def _farthest(J2: float, J3: float) -> float:
    """The root of s³ − J2 s − J3 farthest from the other two, J2 > 0: x³ − 3x = 2t with √3 ≤ |x| ≤ 2, by Newton's
    method from a polynomial in t that is within 1e-5."""
    p = math.sqrt(J2 / 3)
    t = min(abs(J3) / (2 * p * p * p), 1.0)
    x = 1.73205969 + t * (0.33285823 + t * (-0.09201107 + t * (0.03528524 - 0.00819894 * t)))
    for _ in range(2):
        x -= (x * (x * x - 3) - 2 * t) / (3 * (x * x - 1))
    return math.copysign(p * x, J3)


@inlined
def _null_vector(a: float, b: float, c: float, d: float, e: float, f: float) -> Any:
    """Unit vector normal to the rows of a symmetric tensor of rank two: the longest of their cross products, which
    are the columns of the (symmetric) adjugate. No branches, so that several are computed at a time."""
    xx, yy, zz = b * c - e * e, a * c - f * f, a * b - d * d
    xy, xz, yz = e * f - d * c, d * e - f * b, f * d - a * e
    first, second = xx * xx + xy * xy + xz * xz, xy * xy + yy * yy + yz * yz
    third = xz * xz + yz * yz + zz * zz
    longer = second > first
    x, y, z = xy if longer else xx, yy if longer else xy, yz if longer else xz
    longest = second if longer else first
    longer = third > longest
    x, y, z = xz if longer else x, yz if longer else y, zz if longer else z
    inverse = 1 / math.sqrt(third if longer else longest)
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
def _reduced(a: float, b: float, c: float, d: float, e: float, f: float) -> Any:
    """Of the tensor xx, yy, zz, xy, yz, xz: its scale and mean, the farthest eigenvalue of its deviator with the
    eigenvector n, the directions u, v across it, and half the trace, half the difference and the shear of the
    2 × 2 tensor there."""
    scale = max(max(max(abs(a), abs(b)), max(abs(c), abs(d))), max(abs(e), abs(f)))
    scale = scale if scale > 1e-307 else 1.0
    inverse = 1 / scale
    a, b, c, d, e, f = a * inverse, b * inverse, c * inverse, d * inverse, e * inverse, f * inverse
    mean = (a + b + c + 0 * (d + e + f)) / 3  # NaN where any component is not finite
    a, b, c = a - mean, b - mean, c - mean
    J2 = 0.5 * (a * a + b * b + c * c) + d * d + e * e + f * f
    # Of a multiple of 1 every direction is an eigenvector.
    isotropic = J2 <= 1e-33
    s = _farthest(1.0 if isotropic else J2, a * (b * c - e * e) - d * (d * c - e * f) + f * (d * e - b * f))
    x, y, z = _null_vector(a - s, b - s, c - s, d, e, f)
    s, x, y, z = 0.0 if isotropic else s, 0.0 if isotropic else x, 0.0 if isotropic else y, 1.0 if isotropic else z
    n = (x, y, z)
    u0, u1, u2, v0, v1, v2 = _across(x, y, z)
    u, v = (u0, u1, u2), (v0, v1, v2)
    uu, vv, uv = _form(a, b, c, d, e, f, u, u), _form(a, b, c, d, e, f, v, v), _form(a, b, c, d, e, f, u, v)
    return scale, mean, s, n, u, v, 0.5 * (uu + vv), 0.5 * (uu - vv), uv


@inlined
def _solve(X: Any, i: int) -> Any:
    """Of tensor i the two near eigenvalues and the far one, whether that is the lowest, the tensor across its
    eigenvector, that and the two directions, and 0, NaN where the tensor is not finite."""
    scale, mean, s, n, u, v, middle, half, shear = _reduced(X[0, i], X[1, i], X[2, i], X[3, i], X[4, i], X[5, i])
    h = math.sqrt(half * half + shear * shear)
    high, low, far = (mean + middle + h) * scale, (mean + middle - h) * scale, (mean + s) * scale
    return high, low, far, s < 0, h, half, shear, n, u, v, 0 * mean


@called
def _values(X: Any, V: Any, count: int) -> None:
    for i in range(count):
        high, low, far, last, _, _, _, _, _, _, _ = _solve(X, i)
        V[0, i] = high if last else far
        V[1, i] = low if last else high
        V[2, i] = far if last else low


@called
def _systems(X: Any, V: Any, count: int) -> None:
    for i in range(count):
        high, low, far, last, h, half, shear, n, u, v, unknown = _solve(X, i)
        V[0, i] = high if last else far
        V[1, i] = low if last else high
        V[2, i] = far if last else low
        across = half + h if half >= 0 else shear
        along = shear if half >= 0 else h - half
        length = math.sqrt(across * across + along * along)
        alike = length <= 0
        across, along = (1.0 if alike else across), (0.0 if alike else along)
        length = 1.0 if alike else length
        across, along = across / length + unknown, along / length
        for k in range(3):
            one, two = across * u[k] + along * v[k], across * v[k] - along * u[k]
            V[3 + 3 * k, i] = one if last else n[k] + unknown
            V[4 + 3 * k, i] = two if last else one
            V[5 + 3 * k, i] = n[k] + unknown if last else two


@inlined
def _load(A: Any, start: int, count: int, X: Any) -> None:
    """Each component of some tensors side by side, as vector registers take them."""
    for i in range(count):
        X[0, i], X[1, i], X[2, i] = A[start + i, 0, 0], A[start + i, 1, 1], A[start + i, 2, 2]
        X[3, i], X[4, i], X[5, i] = A[start + i, 0, 1], A[start + i, 1, 2], A[start + i, 0, 2]


@kernel()
def symmetric_eigenvalues(A: Any, values: Any) -> None:
    """Eigenvalues (n, 3), descending, of the symmetric tensors A (n, 3, 3); NaN where A is not finite."""
    X, V = np.empty((6, _TOGETHER)), np.empty((3, _TOGETHER))
    for start in range(0, len(A), _TOGETHER):
        count = min(_TOGETHER, len(A) - start)
        _load(A, start, count, X)
        _values(X, V, count)
        for i in range(count):
            for k in range(3):
                values[start + i, k] = V[k, i]


@kernel()
def symmetric_eigensystem(A: Any, values: Any, vectors: Any) -> None:
    """The same, and unit eigenvectors as columns (n, 3, 3)."""
    X, V = np.empty((6, _TOGETHER)), np.empty((12, _TOGETHER))
    for start in range(0, len(A), _TOGETHER):
        count = min(_TOGETHER, len(A) - start)
        _load(A, start, count, X)
        _systems(X, V, count)
        for i in range(count):
            for k in range(3):
                values[start + i, k] = V[k, i]
                for j in range(3):
                    vectors[start + i, j, k] = V[3 + 3 * j + k, i]
