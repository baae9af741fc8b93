"""Fits of flow curves beside rheofit, lmfit and RheoJAX: time a law, and whose least squares are the least."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from flowgrad import fit_flow_curve
from flowgrad.rheology.fit import Fit, fit_models
from flowgrad.rheology.models import MODELS, parse_model
from scripts.benchmarks.measuring import Accuracy, Rows, Sizes, Speed, median_time, timed

# The Python of a virtual environment with ``pip install rheofit==1.1.0 lmfit rheojax==0.7.1``.
PEERS = "FLOWGRAD_RHEOLOGY_PEERS"
_CHILD = Path(__file__).with_name("rheology_peers.py")
_PACKAGES = ("rheofit", "lmfit", "rheojax")
_LAWS = (
    "bingham(tau0=3, eta=0.2)",
    "herschel-bulkley(tau0=3, K=2, n=0.5)",
    "casson(tau0=3, eta=0.1)",
    "power-law(K=2, n=0.4)",
)
_POINTS, _NOISE = 25, 0.02
_MANY = 60
# How many times faster a law than rheofit's effort fast.
_ASKED = 10.0


def rheology(sizes: Sizes) -> Rows:
    """Seconds of a curve with everything, of a law beside the peers, and their costs over ours."""
    curves = [_curve(law, seed) for law in _LAWS for seed in range(2)]

    def whole() -> None:
        found = fit_flow_curve(*curves[0])
        _ = found.verdict, [fit.intervals for fit in found.ranking]

    each = statistics.median(timed(whole) for _ in range(9))
    yield Speed(f"flow curve of {_POINTS} points: all laws, intervals, verdict", each, "", np.nan)
    many = timed(lambda: [fit_flow_curve(*_curve(_LAWS[k % 4], k)).verdict for k in range(_MANY)]) / _MANY
    yield Speed("flow curve, verdict of all laws", many, "", np.nan)
    peers = _peers(curves)
    for name in _PACKAGES:
        if name in peers:
            yield from _beside(name, peers[name], curves)
        else:
            yield _law(curves, (law.partition("(")[0] for law in _LAWS), name, f"{name} is missing", np.nan)


def _curve(law: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rate = np.geomspace(1e-2, 1e3, _POINTS)
    return rate, parse_model(law).stress(rate) * (1 + _NOISE * np.random.default_rng(seed).standard_normal(_POINTS))


def _peers(curves: list[tuple[np.ndarray, np.ndarray]]) -> dict[str, list[dict]]:
    python = os.environ.get(PEERS)
    if not python:
        print(f"without rheofit, lmfit, rheojax: pip install them and name their Python by {PEERS}", file=sys.stderr)
        return {}
    text = json.dumps([[rate.tolist(), stress.tolist()] for rate, stress in curves])
    found: dict[str, list[dict]] = {}
    done = subprocess.run([python, str(_CHILD)], input=text, capture_output=True, text=True, check=True)
    for each in json.loads(done.stdout.splitlines()[-1]):
        found.setdefault(each["package"], []).append(each)
    return found


def _beside(name: str, fits: list[dict], curves: list[tuple[np.ndarray, np.ndarray]]) -> Rows:
    """Time a law, how much more than a peer's our cost is at most, and how far parameters of equal costs differ."""
    theirs = statistics.median(each["seconds"] for each in fits)
    yield _law(curves, sorted({each["law"] for each in fits}), name, name, theirs)
    excess, apart = 0.0, 0.0
    for each in fits:
        rate, stress = curves[each["curve"]]
        (fit,) = fit_models(rate, stress, models=[each["law"]], residual="relative")
        cost = _chi2(MODELS[each["law"]](*np.maximum(each["parameters"], 1e-300)).stress(rate), stress)
        excess = max(excess, fit.chi2 / cost - 1)
        if cost / fit.chi2 - 1 < 1e-9:
            apart = max(apart, _apart(fit, each["parameters"]))
    yield Accuracy(f"χ² of a law over that of {name}, less 1, at most", (excess,), "", (1e-9,))
    yield Accuracy(f"parameters beside {name}'s where its χ² is as small", (apart,), "", (1e-4,))


def _law(
    curves: list[tuple[np.ndarray, np.ndarray]], laws: Iterable[str], name: str, peer: str, theirs: float
) -> Speed:
    """Time a law beside a package, which may be missing."""
    ours = statistics.median(
        median_time(lambda law=law: fit_models(*curves[2], models=[law], residual="relative"), 0.2) for law in laws
    )
    return Speed(f"fit of a law to {_POINTS} points", ours, peer, theirs, _ASKED if name == "rheofit" else 0.0)


def _chi2(model: np.ndarray, stress: np.ndarray) -> float:
    return float(np.sum((model / stress - 1) ** 2))


def _apart(fit: Fit, parameters: list[float]) -> float:
    pairs = zip(fit.model.parameters.items(), parameters, strict=True)
    return max((abs(value / other - 1) for (key, value), other in pairs if key in fit.intervals), default=0.0)
