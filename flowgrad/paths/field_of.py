"""Field of a flow, a series or a function, with the interpolant that suits its mesh."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from flowgrad.errors import OptionError
from flowgrad.flow import Flow
from flowgrad.mesh import Lattice
from flowgrad.paths.field import Field, Interpolant, SteadyField
from flowgrad.series import Series

# Sources of paths: data, or a velocity v(x) or v(x, t) that is given as a function.
Source: TypeAlias = Flow | Series | Callable[..., Any]


def field_of(source: Source, dimension: int = 3, backend: str | None = None) -> Field:
    """The field of a flow, a series, or a function of positions (…, ``dimension``).

    Straight lattices are interpolated by cubic splines, meshes with curved cells by :class:`ElementInterpolant`, others
    by :class:`MeshInterpolant`. OptionError for
    what is none of these and for flows that are symmetric about an axis.
    """
    if isinstance(source, Field):
        return source
    if isinstance(source, Flow):
        return SteadyField(interpolant_of(source), source)
    if isinstance(source, Series):
        from flowgrad.paths.series_field import SeriesField

        return SeriesField(interpolant_of(source[0]), source)
    if not callable(source):
        raise OptionError(f"{type(source).__name__} given for the flow: give a Flow, a Series or a function v(x, t)")
    from flowgrad.paths.function_field import FunctionField

    return FunctionField(source, dimension, backend)


def interpolant_of(flow: Flow) -> Interpolant:
    """The interpolant that suits a flow's mesh."""
    if flow.is_meridian:
        raise OptionError(
            f"{flow.name} is symmetric about an axis: its meridian plane does not hold the hoops that particles "
            "stretch; give the flow on a mesh of the whole volume"
        )
    if isinstance(flow.mesh, Lattice) and not flow.mesh.is_curved and not flow.boundary:
        from flowgrad.paths.lattice_interpolant import LatticeSpline

        return LatticeSpline(flow)
    from flowgrad.paths.element_interpolant import ElementInterpolant, has_curved_elements
    from flowgrad.paths.mesh_interpolant import MeshInterpolant

    if has_curved_elements(flow.mesh):
        return ElementInterpolant(flow)

    return MeshInterpolant(flow)
