"""Noise of measured velocities: standard deviation, correlation and outliers, found in the samples alone."""

from __future__ import annotations

from flowgrad.noise.estimate import FoundNoise, noise_of
from flowgrad.noise.in_time import noise_in_time
from flowgrad.noise.median_test import median_outliers

__all__ = ["FoundNoise", "median_outliers", "noise_in_time", "noise_of"]
