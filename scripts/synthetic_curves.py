#!/usr/bin/env python3
"""Flow curves made of every law with noise: how often the verdict is right, and how often the intervals cover.

Usage: scripts/synthetic_curves.py classes|intervals [--seeds N] [--noise PERCENT] [--decades LOW HIGH] [--rho RHO]
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from flowgrad import Verdict, fit_flow_curve
from flowgrad.rheology import thresholds
from flowgrad.rheology.fit import fit_models
from flowgrad.rheology.model import Model, parse_model

POINTS = 25
# Of the noise of neighbouring points.
RHO = 0.0
# Between 0.1 and 10 as between 0.01 and 1,000 every one shows its class.
LAWS = (
    "newtonian(eta=0.1)",
    "power-law(K=2, n=0.4)",
    "cross(eta0=10, eta_inf=0.05, lam=2, n=0.8)",
    "carreau(eta0=10, eta_inf=0.05, lam=2, n=0.35)",
    "carreau-yasuda(eta0=10, eta_inf=0.05, lam=2, n=0.3, a=1.2)",
    "bingham(tau0=3, eta=0.2)",
    "herschel-bulkley(tau0=3, K=2, n=0.5)",
    "sisko(eta_inf=0.1, K=2, n=0.4)",
    "powell-eyring(eta0=5, eta_inf=0.1, lam=2)",
    "quemada(eta0=5, eta_inf=0.1, lam=0.3)",
    "ellis(eta0=2, tau_half=3, alpha=2.5)",
    "casson(tau0=3, eta=0.1)",
    "three-component(tau0=3, eta_bg=0.1, rate_c=1.3)",
    "papanastasiou-bingham(tau0=3, eta=0.2, m=500)",
    "papanastasiou-herschel-bulkley(tau0=3, K=2, n=0.5, m=500)",
    "cross(eta0=0.01, eta_inf=10, lam=0.4, n=3)",
    "power-law(K=1, n=1.3)",
)
# Within 0.01 to 1,000 every parameter of these shows.
DETERMINED = (
    *LAWS[:13],
    "papanastasiou-bingham(tau0=3, eta=0.2, m=20)",
    "papanastasiou-herschel-bulkley(tau0=3, K=2, n=0.5, m=20)",
)
# The rates, powers of ten, and the parameter that they do not reach.
UNDETERMINED = (
    ("cross(eta0=10, eta_inf=0.001, lam=2, n=0.8)", -1, 1, "eta_inf"),
    ("cross(eta0=1000, eta_inf=0.05, lam=2000, n=0.8)", 0, 3, "eta0"),
    ("carreau(eta0=10, eta_inf=0.0001, lam=2, n=0.35)", -2, 1, "eta_inf"),
    ("carreau(eta0=1000, eta_inf=0.05, lam=2000, n=0.35)", -1, 3, "lam"),
    ("sisko(eta_inf=0.0001, K=2, n=0.4)", -2, 1, "eta_inf"),
    ("powell-eyring(eta0=5, eta_inf=0.0001, lam=2)", -2, 1, "eta_inf"),
    ("herschel-bulkley(tau0=0.0001, K=2, n=0.5)", -1, 3, "tau0"),
    ("papanastasiou-bingham(tau0=3, eta=0.2, m=1e6)", -2, 3, "m"),
)


def main() -> None:
    """Print a line for each law."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["classes", "intervals"])
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--noise", type=float, default=2.0, metavar="PERCENT")
    parser.add_argument("--rho", type=float, default=0.0, help="correlation of neighbouring points' noise")
    parser.add_argument("--decades", type=float, nargs=2, default=(-2.0, 3.0), metavar=("LOW", "HIGH"))
    args = parser.parse_args()
    seeds, noise = range(args.seeds), args.noise / 100
    with ProcessPoolExecutor(initializer=_correlate, initargs=(args.rho,)) as workers:
        if args.what == "classes":
            rate = np.logspace(*args.decades, POINTS)
            _lines(workers.map(classes, LAWS, *_same(rate, noise, seeds)))
        else:
            rate = np.logspace(-2, 3, POINTS)
            _lines(workers.map(coverage, DETERMINED, *_same(rate, noise, seeds)))
            _lines(workers.map(refusals, UNDETERMINED, *_same(noise, seeds)))


def _correlate(rho: float) -> None:
    """In each process."""
    global RHO
    RHO = rho


def _same(*values: object) -> list[Iterable[object]]:
    """The same values for each law."""
    return [[value] * len(LAWS) for value in values]


def _lines(found: Iterable[str]) -> None:
    for line in found:
        print(line, flush=True)


def classes(text: str, rate: np.ndarray, noise: float, seeds: Iterable[int]) -> str:
    """The verdicts on noisy points of a law."""
    law = parse_model(text)
    true = true_class(law, rate)
    found = Counter(fit_flow_curve(rate, noisy(law, rate, noise, seed)).verdict for seed in seeds)
    # A class that stays open is wrong of a Newtonian fluid.
    not_class = (Verdict.NOT_DECIDED,) if true is Verdict.NEWTONIAN else (Verdict.NOT_DECIDED, Verdict.NON_NEWTONIAN)
    count, right, open_ = found.total(), found[true], sum(found[each] for each in not_class)
    wrong = count - right - open_
    shares = f"right {right / count:.1%}, not-decided {open_ / count:.1%}, wrong {wrong / count:.1%}"
    return f"{text}: {true}, {shares}"


def true_class(law: Model, rate: np.ndarray) -> Verdict:
    """What the curve without noise shows: η changes threefold at least; τ0 is half the lowest stress at least."""
    eta = law.viscosity(rate)
    if np.ptp(eta) == 0:
        return Verdict.NEWTONIAN
    if eta.max() < 3 * eta.min():
        raise ValueError(f"{law} changes by less than a factor of 3 here")
    if law.yielded(rate[:1])[0] >= thresholds.YIELD_SHARE * law.stress(rate[:1])[0]:
        return Verdict.YIELD_STRESS
    return Verdict.SHEAR_THINNING if eta[0] > eta[-1] else Verdict.SHEAR_THICKENING


def coverage(text: str, rate: np.ndarray, noise: float, seeds: Iterable[int]) -> str:
    """How often the 95 % intervals of a law's own fit cover its parameters."""
    law = parse_model(text)
    given, covered = Counter[str](), Counter[str]()
    for seed in seeds:
        for key, (low, high) in intervals(law, rate, noise, seed).items():
            given[key] += 1
            covered[key] += low <= law.parameters[key] <= high
    shares = (f"{key} {covered[key] / given[key]:.1%} of {given[key]}" for key in law.parameters)
    return f"{text}: covered {', '.join(shares)}"


def refusals(case: tuple[str, float, float, str], noise: float, seeds: Iterable[int]) -> str:
    """How often an interval is given for a parameter that the rates do not reach."""
    text, low, high, key = case
    law, rate = parse_model(text), np.logspace(low, high, POINTS)
    given = sum(key in intervals(law, rate, noise, seed) for seed in seeds)
    return f"{text}, rates 1e{low:g} to 1e{high:g}: an interval for {key} in {given} of {len(list(seeds))}"


def intervals(law: Model, rate: np.ndarray, noise: float, seed: int) -> dict[str, tuple[float, float]]:
    """95 % intervals of a law's fit to noisy points of its own."""
    (fit,) = fit_models(rate, noisy(law, rate, noise, seed), models=[law.name], residual="relative")
    return dict(fit.intervals)


def noisy(law: Model, rate: np.ndarray, noise: float, seed: int) -> np.ndarray:
    """Stresses of a law with noise relative to each, correlated by ρ^|i−j| along the points."""
    shocks, drawn = np.random.default_rng(seed).standard_normal(len(rate)), np.zeros(len(rate))
    for k, shock in enumerate(shocks):
        drawn[k] = RHO * drawn[k - 1] + np.sqrt(1 - RHO**2) * shock if k else shock
    return law.stress(rate) * (1 + noise * drawn)


if __name__ == "__main__":
    main()
