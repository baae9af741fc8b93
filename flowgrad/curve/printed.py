"""What ``flowgrad curve`` prints of a curve."""

from __future__ import annotations

from collections.abc import Iterator

from flowgrad.rheology import Fit
from flowgrad.rheometer.curve import counted
from flowgrad.rheometer.fitted import Examined

# Laws of a ranking that are printed, and the weight below which the rest is as good as none.
_MOST, _LEAST = 4, 0.01


def lines(examined: Examined) -> Iterator[str]:
    """The verdict, the best law with intervals, the laws after it, what was left out, and notes."""
    curve, fit = examined.curve, examined.fit
    span = f"shear rates {curve.rate[0]:.4g} to {curve.rate[-1]:.4g}{' 1/s' if curve.is_si else ''}"
    warm = "" if curve.temperature is None else f", {curve.temperature:.3g} °C"
    yield f"{curve.name}: {fit.verdict.value} ({len(curve)} points, {span}{warm})"
    yield f"  {fit.sentence}"
    for place, each in enumerate(fit.ranking[:_MOST]):
        if not place or each.weight >= _LEAST:
            yield f"  {place + 1}. {in_words(each)}"
    for reason, count in curve.excluded.items():
        yield f"  left out: {counted(count)} {reason}"
    for note in examined.notes:
        yield f"  note: {note}"


def in_words(fit: Fit) -> str:
    """``bingham(tau0 = 1.02 [0.98, 1.05], eta = ?), weight 0.93, misfit 1.2 %``."""
    parts = []
    for name in fit.model.parameters:
        known = f"{fit.parameters[name]:.4g}" if name in fit.parameters else "?"
        ends = "[{:.4g}, {:.4g}]".format(*fit.intervals[name]) if name in fit.intervals else ""
        parts.append(f"{name} = {known} {ends}".rstrip())
    return f"{fit.model.name}({', '.join(parts)}), weight {fit.weight:.3g}, misfit {100 * fit.misfit:.2g} %"
