"""Differentiation rules of SciPy's special functions, one line a rule (DLMF, https://dlmf.nist.gov), and the list of
all functions that have a rule.

Derivatives by an order or a shape parameter are not known in closed form: None.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy import special as sp

from flowgrad.autodiff.rules import FUNCTION_RULES, UFUNC_RULES, name_of

_ROOT_PI = np.sqrt(np.pi)
_NORMAL = 1 / np.sqrt(2 * np.pi)


def _bessel(f: Any, sign: float) -> tuple[Any, Any]:
    """C'_ν = (C_ν₋₁ − s C_ν₊₁)/2 (DLMF 10.6.1, 10.29.1)."""
    return None, lambda r, v, x: 0.5 * (f(v - 1, x) - sign * f(v + 1, x))


def _log_beta(a: Any, b: Any) -> Any:
    """∂ ln B(a, b)/∂a (DLMF 5.12.1)."""
    return sp.digamma(a) - sp.digamma(a + b)


def _exprel_slope(r: Any, x: Any) -> Any:
    """(eˣ − r)/x, by its series near 0."""
    small = np.abs(x) < 1e-2
    y = np.where(small, 1.0, x)
    series = 1 / 2 + x / 3 + x**2 / 8 + x**3 / 30 + x**4 / 144 + x**5 / 840
    return np.where(small, series, (np.exp(y) - (np.exp(y) - 1) / y) / y)


def _far(far: Any, x: Any, factor: float, sign: int, near: Any) -> Any:
    """f q (1 + s 3q + 15q² + s 105q³ + 945q⁴), q = 1/(2x²), far from 0, where the closed form cancels (DLMF 7.12.1)."""
    q = 0.5 / np.square(np.where(far, x, 30.0))
    series = 1 + q * (sign * 3 + q * (15 + q * (sign * 105 + q * 945)))
    return np.where(far, factor * q * series, near)


# Σ n c_n mⁿ⁻¹ and −Σ n c_n mⁿ⁻¹/(2n − 1), c_n = [(2n − 1)!!/(2n)!!]² (DLMF 19.5.1, 19.5.2).
_C = (1 / 4, 9 / 64, 25 / 256, 1225 / 16384, 3969 / 65536)
_K_SLOPE = [n * c for n, c in enumerate(_C, 1)]
_E_SLOPE = [-n * c / (2 * n - 1) for n, c in enumerate(_C, 1)]


def _near_zero(m: Any, slopes: list[float], closed: Any) -> Any:
    """The series where the closed form cancels."""
    total = 0.0 * m
    for slope in reversed(slopes):
        total = total * m + slope
    return np.where(np.less(np.abs(m), 1e-3), np.pi / 2 * total, closed)


UFUNC_RULES |= {
    sp.erf: (lambda r, x: 2 / _ROOT_PI * np.exp(-x * x),),
    sp.erfc: (lambda r, x: -2 / _ROOT_PI * np.exp(-x * x),),
    sp.erfcx: (lambda r, x: _far(np.greater(x, 30), x, -2 / _ROOT_PI, -1, 2 * x * r - 2 / _ROOT_PI),),
    sp.erfi: (lambda r, x: 2 / _ROOT_PI * np.exp(x * x),),
    sp.dawsn: (lambda r, x: _far(np.greater(np.abs(x), 30), x, -1.0, 1, 1 - 2 * x * r),),
    sp.erfinv: (lambda r, x: _ROOT_PI / 2 * np.exp(r * r),),
    sp.erfcinv: (lambda r, x: -_ROOT_PI / 2 * np.exp(r * r),),
    sp.ndtr: (lambda r, x: _NORMAL * np.exp(-0.5 * x * x),),
    sp.log_ndtr: (lambda r, x: _NORMAL * np.exp(-0.5 * x * x - r),),
    sp.ndtri: (lambda r, x: np.exp(0.5 * r * r) / _NORMAL,),
    sp.gamma: (lambda r, x: r * sp.digamma(x),),
    sp.rgamma: (lambda r, x: -r * sp.digamma(x),),
    sp.gammaln: (lambda r, x: sp.digamma(x),),
    sp.loggamma: (lambda r, x: sp.digamma(x),),
    sp.digamma: (lambda r, x: sp.zeta(2.0, x),),
    sp._ufuncs._zeta: (None, lambda r, s, a: -s * sp.zeta(s + 1, a)),
    sp.beta: (lambda r, a, b: r * _log_beta(a, b), lambda r, a, b: r * _log_beta(b, a)),
    sp.betaln: (lambda r, a, b: _log_beta(a, b), lambda r, a, b: _log_beta(b, a)),
    sp.gammainc: (None, lambda r, a, x: np.exp((a - 1) * np.log(x) - x - sp.gammaln(a))),
    sp.gammaincc: (None, lambda r, a, x: -np.exp((a - 1) * np.log(x) - x - sp.gammaln(a))),
    sp.betainc: (None, None, lambda r, a, b, x: np.exp((a - 1) * np.log(x) + (b - 1) * np.log1p(-x) - sp.betaln(a, b))),
    sp.expit: (lambda r, x: r * sp.expit(-x),),
    sp.log_expit: (lambda r, x: sp.expit(-x),),
    sp.logit: (lambda r, x: 1 / (x * (1 - x)),),
    sp.exp10: (lambda r, x: np.log(10) * r,),
    sp.exp2: (lambda r, x: np.log(2) * r,),
    sp.expm1: (lambda r, x: r + 1,),
    sp.log1p: (lambda r, x: 1 / (1 + x),),
    sp.cosm1: (lambda r, x: -np.sin(x),),
    sp.cbrt: (lambda r, x: np.where(np.equal(r, 0), np.nan, 1 / (3 * r * r)),),
    sp.exprel: (_exprel_slope,),
    sp.xlogy: (lambda r, x, y: np.log(y), lambda r, x, y: x / y),
    sp.xlog1py: (lambda r, x, y: np.log1p(y), lambda r, x, y: x / (1 + y)),
    sp.entr: (lambda r, x: -np.log(x) - 1,),
    sp.rel_entr: (lambda r, x, y: np.log(x / y) + 1, lambda r, x, y: -x / y),
    sp.kl_div: (lambda r, x, y: np.log(x / y), lambda r, x, y: 1 - x / y),
    sp.exp1: (lambda r, x: -np.exp(-x) / x,),
    sp.expi: (lambda r, x: np.exp(x) / x,),
    sp.expn: (None, lambda r, n, x: -sp.expn(n - 1, x)),
    sp.spence: (lambda r, x: np.where(np.equal(x, 1), -1.0, np.log(x) / np.where(np.equal(x, 1), 1.0, 1 - x)),),
    sp.ellipk: (lambda r, m: _near_zero(m, _K_SLOPE, (sp.ellipe(m) - (1 - m) * r) / (2 * m * (1 - m))),),
    sp.ellipe: (lambda r, m: _near_zero(m, _E_SLOPE, (r - sp.ellipk(m)) / (2 * m)),),
    sp.ellipkinc: (lambda r, p, m: 1 / np.sqrt(1 - m * np.sin(p) ** 2), None),
    sp.ellipeinc: (lambda r, p, m: np.sqrt(1 - m * np.sin(p) ** 2), None),
    sp.j0: (lambda r, x: -sp.j1(x),),
    sp.j1: (lambda r, x: 0.5 * (sp.j0(x) - sp.jv(2, x)),),
    sp.y0: (lambda r, x: -sp.y1(x),),
    sp.y1: (lambda r, x: 0.5 * (sp.y0(x) - sp.yv(2, x)),),
    sp.i0: (lambda r, x: sp.i1(x),),
    sp.i1: (lambda r, x: 0.5 * (sp.i0(x) + sp.iv(2, x)),),
    sp.k0: (lambda r, x: -sp.k1(x),),
    sp.k1: (lambda r, x: -0.5 * (sp.k0(x) + sp.kv(2, x)),),
    sp.jv: _bessel(sp.jv, 1.0),
    sp.yv: _bessel(sp.yv, 1.0),
    sp.iv: _bessel(sp.iv, -1.0),
    sp.kv: (None, lambda r, v, x: -0.5 * (sp.kv(v - 1, x) + sp.kv(v + 1, x))),
    sp.struve: (None, lambda r, v, x: sp.struve(v - 1, x) - v / x * r),
    sp.hyp1f1: (None, None, lambda r, a, b, x: a / b * sp.hyp1f1(a + 1, b + 1, x)),
    sp.hyp2f1: (None, None, None, lambda r, a, b, c, x: a * b / c * sp.hyp2f1(a + 1, b + 1, c + 1, x)),
    sp.boxcox: (lambda r, x, k: np.power(x, k - 1), None),
    sp.huber: (None, lambda r, d, x: np.clip(x, -d, d)),
    sp.pseudo_huber: (None, lambda r, d, x: x / np.sqrt(1 + (x / d) ** 2)),
}  # fmt: skip


def known_functions() -> Iterator[tuple[str, str]]:
    """Names of the functions, sorted, and what is known of their derivatives."""
    rules = {name_of(f): "of arrays" for f in FUNCTION_RULES if name_of(f).startswith("numpy.")}
    for ufunc, partials in UFUNC_RULES.items():
        numbers = [str(number) for number, partial in enumerate(partials, 1) if partial]
        part = "" if all(partials) else f", by argument {', '.join(numbers)} of {len(partials)}"
        rules[name_of(ufunc)] = f"elementwise{part}"
    yield from sorted(rules.items())
