"""Penalised least squares in the cosine basis with generalised cross-validation (Garcia 2010), a peer for smoothing."""

from __future__ import annotations

import numpy as np
from scipy.fft import dctn, idctn
from scipy.ndimage import distance_transform_edt
from scipy.optimize import minimize_scalar


def smoothn(fields: list[np.ndarray]) -> list[np.ndarray]:
    """Smoothed fields of any number of axes, missing values by iteration, one parameter for all (Garcia 2010, Comput.
    Stat. Data Anal. 54, 1167)."""
    known = np.isfinite(fields[0])
    whole, shape = known.all(), known.shape
    along = np.meshgrid(*(-2 + 2 * np.cos(np.pi * np.arange(n) / n) for n in shape), indexing="ij", sparse=True)
    square = sum(along) ** 2
    if whole:
        z = list(fields)
    else:
        nearest = distance_transform_edt(~known, return_distances=False, return_indices=True)
        z = [field[tuple(nearest)] for field in fields]
    exponent = 0.0
    for step in range(1 if whole else 40):
        spectra = [dctn(np.where(known, f, s), norm="ortho") for f, s in zip(fields, z, strict=True)]

        def score(p: float, spectra: list[np.ndarray] = spectra) -> float:
            gain = 1 / (1 + 10**p * square)
            rest = sum(
                (((f - idctn(d * gain, norm="ortho"))[known]) ** 2).sum() for f, d in zip(fields, spectra, strict=True)
            )
            return float(rest / known.sum() / (1 - gain.mean()) ** 2)

        if step < 6 or step % 6 == 0:
            exponent = minimize_scalar(score, bounds=(-6, 6), method="bounded", options={"xatol": 0.05}).x
        gain = 1 / (1 + 10**exponent * square)
        z = [idctn(d * gain, norm="ortho") for d in spectra]
    return z
