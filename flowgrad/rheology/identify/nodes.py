"""The shear rates at which log η is sought."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flowgrad.errors import OptionError
from flowgrad.rheology.identify.samples import Samples
from flowgrad.typing import FloatArray

# Nodes a decade, and at least so many within a narrow range.
_PER_DECADE = 5
_FEWEST = 5
# Parts of Σ V γ̇ below the lowest and above the highest rate that is reported.
_TAIL = 0.003
# Nodes below and above these, so that what is there does not bend the curve at its ends: a fluid that thins bears much
# of the stress where it hardly deforms.
_BELOW, _ABOVE = 10, 4
# Rates within this factor are one.
_ONE_RATE = 1 + 1e-9


@dataclass(frozen=True, eq=False)
class Nodes:
    """log γ̇ (b,), evenly spaced; those of ``inner`` are reported where they are determined."""

    log_rates: FloatArray

    @property
    def inner(self) -> slice:
        """Without the nodes beyond the rates that count."""
        return slice(_BELOW, len(self.log_rates) - _ABOVE)

    @classmethod
    def of(cls, found: Sequence[Samples]) -> Nodes:
        """Over the rates that count in a flow; OptionError where nothing deforms."""
        rates = np.concatenate([each.shear_rate for each in found])
        weights = np.concatenate([each.volumes for each in found]) * rates
        usable = np.flatnonzero(np.isfinite(weights) & (weights > 0))
        if not len(usable):
            raise OptionError("nothing deforms in this flow, or its gradient is not known: there is no viscosity in it")
        order = usable[np.argsort(rates[usable])]
        below = np.cumsum(weights[order]) / weights[order].sum()
        low = np.log(rates[order[np.searchsorted(below, _TAIL)]])
        high = np.log(rates[order[np.minimum(np.searchsorted(below, 1 - _TAIL), len(order) - 1)]])
        count = max(_FEWEST, 1 + int(np.ceil((high - low) / np.log(10) * _PER_DECADE)))
        step = max(high - low, np.log(_ONE_RATE)) / (count - 1)
        return cls(low + step * np.arange(-_BELOW, count + _ABOVE))

    def contents(self, found: Sequence[Samples]) -> tuple[FloatArray, NDArray[np.int64], FloatArray]:
        """Share of the volume (b,), number of samples (b,) and Σ V 2D:D (b,) nearest to each node."""
        rates = np.concatenate([each.shear_rate for each in found])
        volumes = np.concatenate([each.volumes for each in found])
        known = np.isfinite(rates) & (rates > 0)
        rates, volumes = rates[known], volumes[known]
        step = self.log_rates[1] - self.log_rates[0]
        place = np.clip(np.round((np.log(rates) - self.log_rates[0]) / step), 0, len(self.log_rates) - 1).astype(int)
        share, work = (np.bincount(place, w, len(self.log_rates)) for w in (volumes, volumes * rates**2))
        return share / max(share.sum(), 1e-300), np.bincount(place, minlength=len(self.log_rates)), work / len(found)
