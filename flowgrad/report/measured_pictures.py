"""Pictures of measured flows, whose noise is known: vorticity with what was left out, error bars, residual of fits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes

from flowgrad import plot
from flowgrad.gradient.smooth.parts import Smoothed
from flowgrad.gradient.smooth.scheme import SmoothFits
from flowgrad.kinematics import QUANTITIES
from flowgrad.mesh import Lattice

if TYPE_CHECKING:
    from flowgrad.pipeline.analysis import Analysis
    from flowgrad.plot import Slice

# More samples would take longer than the rest of the page.
_MOST = 200_000

Draw = Callable[[Axes], Axes]


def measured_fields(analysis: Analysis, section: Slice) -> Iterator[tuple[Draw, str]]:
    """The vorticity with what was left out, and how sure it and the shear rate are, each with its caption."""
    gradient, flow = analysis.gradient, analysis.flow
    caption = QUANTITIES["vorticity"].description
    if flow.outlier is not None:
        caption += " Crosses: outliers."
    if not np.isfinite(flow.velocity).all():
        caption += " Hatched: not measured."
    yield (
        lambda ax: plot.mark_left_out(flow, plot.field(gradient, "vorticity", ax, section), section),
        caption,
    )
    for name in ("vorticity", "shear_rate"):
        if name not in analysis.unknown:
            yield (
                partial(plot.uncertainty, gradient, name, section=section),
                f"Standard deviation of the {name.replace('_', ' ')}, from the noise of the velocity.",
            )


def residual_curves(analysis: Analysis) -> Iterator[tuple[Draw, str]]:
    """The autocorrelation of what the scheme smooth leaves of velocities on a lattice, with what it tells."""
    gradient, flow = analysis.gradient, analysis.flow
    mesh = flow.mesh
    if not gradient.scheme.startswith("smooth") or not isinstance(mesh, Lattice) or mesh.point_count > _MOST:
        return
    operator = SmoothFits().prepare(flow, flow.location)
    residual = operator.residual if isinstance(operator, Smoothed) else None
    if residual is None:
        return
    from flowgrad.noise.autocorrelation import autocorrelation
    from flowgrad.plot.residual_correlation import residual_correlation

    lattice = mesh if flow.location == "points" else mesh.of_centres
    found, window = autocorrelation(lattice, residual), flow.found_noise.window
    if found.reach <= np.ceil(window):
        tells = "no farther than the noise itself is, so they leave none of the flow."
    else:
        tells = "farther than the noise that was found, so they leave a part of the flow, or the noise reaches farther."
    caption = f"Velocity less its fits: correlated over less than {found.reach} spacings, {tells}"
    yield partial(residual_correlation, found, window=window), caption
