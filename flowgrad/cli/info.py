"""Commands info and list: a file's arrays and what a run would take of them; what flowgrad knows."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from flowgrad.errors import FlowgradError, OptionError
from flowgrad.io.options import ReadOptions
from flowgrad.option import add_options, options_of

if TYPE_CHECKING:
    import numpy as np

    from flowgrad.flow import Flow


# So few velocities are fitted in a second or so.
_FEW = 200_000


def describe(path: str | Path, options: ReadOptions) -> Iterator[str]:
    """Lines on a file's mesh and arrays, and on the velocity and the scheme that a run would take.

    Raises ReadError for a file that cannot be read; an unclear velocity is told in the last line.
    """
    from flowgrad.io import flow_of, read_contents

    contents = read_contents(path, options.time)
    mesh = contents.mesh
    types = ", ".join(f"{count} {name}" for name, count in mesh.type_counts().items()) or "none"
    yield f"{path}" + (f" (written by {contents.producer})" if contents.producer else "")
    yield f"  points    {len(mesh.points)}"
    yield f"  cells     {len(mesh)}: {types}"
    yield from (f"            {note}" for note in mesh.cells.notes)
    if len(mesh.points):
        low, high = mesh.points.min(axis=0), mesh.points.max(axis=0)
        spans = (f"{name} {a:.6g} … {b:.6g}" for name, a, b in zip("xyz", low, high, strict=True))
        yield f"  extent    {', '.join(spans)}"
    if contents.time is not None:
        yield f"  time      {contents.time:g}"
    for where, data in (("point", contents.point_data), ("cell", contents.cell_data), ("field", contents.field_data)):
        yield from _arrays(where, data)
    try:
        flow = flow_of(contents, options)
    except OptionError as error:
        yield f"  a run would stop: {error}"
        return
    yield from _plan(flow)


def _arrays(where: str, data: Mapping[str, np.ndarray]) -> Iterator[str]:
    if data:
        yield f"  {where} data"
    width = max((len(name) for name in data), default=0)
    for name, values in data.items():
        components = values[0].size if len(values) else 1
        kind = {1: "scalar", 3: "vector", 6: "symmetric tensor", 9: "tensor"}.get(
            components, f"{components} components"
        )
        yield f"    {name:<{width}}  {kind:<16}  {values.dtype}  {_range(values)}"


def _range(values: np.ndarray) -> str:
    import numpy as np

    if not values.size or values.dtype.kind not in "fiu":
        return ""
    finite = values[np.isfinite(values)]
    missing = values.size - finite.size
    span = f"{finite.min():.6g} … {finite.max():.6g}" if finite.size else "no finite value"
    return span + (f"  ({missing} not finite)" if missing else "")


def _plan(flow: Flow) -> Iterator[str]:
    from flowgrad.gradient import choose_scheme
    from flowgrad.kinematics.on_mesh import jumps
    from flowgrad.tensors import finite_rows

    if not finite_rows(flow.velocity).any():
        yield f"  a run would stop: all {len(flow.velocity)} vectors of {flow.velocity_name} are missing (not finite)"
        return
    scheme, reason = choose_scheme(flow)
    yield "  a run would use"
    yield f"    velocity  {flow.velocity_name} at {flow.location}"
    if flow.noise is not None:
        yield f"    noise     {flow.noise_size:.3g} (root mean square of the standard deviations)"
    if flow.outlier is not None:
        share = 100 * flow.outlier.mean()
        yield f"    outliers  {flow.outlier.sum()} of {len(flow.outlier)} velocities ({share:.2g} %) by the median test"
    if flow.wedge is not None:
        yield f"    symmetry  the mesh is a wedge of {flow.wedge.degrees:.3g}°: taken as axisymmetric"
    elif flow.axisymmetric in ("x", "y"):
        yield f"    symmetry  axisymmetric about the {flow.axisymmetric} axis"
    elif flow.out_of_plane != "zero":
        yield f"    across    derivatives across the plane: {flow.out_of_plane}"
    for line in (*(flow.mesh.joints.notes if flow.mesh.joints else ()), *jumps(flow)):
        yield f"    points    {line}"
    for patch in flow.boundary:
        yield f"    patch     {patch.name}: {len(patch.faces)} faces"
    yield f"    scheme    {scheme}: {reason}"
    if not flow.velocity[finite_rows(flow.velocity)].any():
        yield "    warning   the velocity is zero throughout: the fluid is at rest, or all vectors are masked"
    if scheme.finds_noise and len(flow.velocity) <= _FEW:
        # The first tells the noise, which is said above.
        notes = scheme.prepare(flow, flow.location).notes[1:]
        yield from (f"    smooth    {note}" for note in notes if "are outliers" not in note)


def listing(what: str) -> Iterator[str]:
    """Lines on all ``quantities``, ``models``, ``schemes``, ``cells``, ``formats`` or ``functions``."""
    if what == "quantities":
        from flowgrad.kinematics import QUANTITIES
        from flowgrad.report.template import text

        for quantity in QUANTITIES.values():
            head = f"{text(quantity.symbol)} [{quantity.dimension}]"
            yield f"{quantity.name:<29} {head:<16} {quantity.description} ({quantity.reference})"
    elif what == "models":
        from flowgrad.rheology import MODELS

        for name, model in MODELS.items():
            yield f"{name:<20} {(model.__doc__ or '').strip().splitlines()[0]}"
    elif what == "schemes":
        from flowgrad.gradient import SCHEMES

        for name, scheme in SCHEMES.items():
            yield f"{name:<20} {'' if scheme.record is None else scheme.record.summary}"
    elif what == "cells":
        yield from _cells()
    elif what == "formats":
        from flowgrad.io.formats import formats

        for suffix, kind in formats().items():
            yield f"{suffix:<11} {kind}"
    else:
        from flowgrad.autodiff.rules_special import known_functions

        yield from (f"{name:<28} {how}" for name, how in known_functions())


def _cells() -> Iterator[str]:
    from flowgrad.mesh import LAGRANGE_CELLS, REFERENCE_CELLS, cell_name

    for cell in REFERENCE_CELLS.values():
        how = "shape functions" if cell.has_interpolant else "least squares" if cell.dimension > 1 else "no gradient"
        yield f"{cell.vtk_type:>3}  {cell.name:<32} dimension {cell.dimension}, {how}"
    for kind in LAGRANGE_CELLS.values():
        name = cell_name(kind.vtk_type)
        degrees = "degree 1 or 2" if name == "lagrange_pyramid" else "any degree"
        yield f"{kind.vtk_type:>3}  {name:<32} dimension {kind.family.dimension}, shape functions of {degrees}"


def add(verb: argparse.ArgumentParser) -> None:
    """Add the arguments of info."""
    verb.epilog = "examples:\n  flowgrad info case.vtu\n  flowgrad info case.vtu --velocity u,v,w"
    verb.set_defaults(command=command)
    verb.add_argument("files", nargs="+", metavar="FILE")
    add_options(verb, ReadOptions)


def command(args: argparse.Namespace) -> int:
    """Describe the files; the exit status."""
    from flowgrad.batch.files import expand

    status = 0
    for name in expand(args.files):
        try:
            print("\n".join(describe(name, options_of(ReadOptions, args))))
        except FlowgradError as error:
            print(f"flowgrad: {error}", file=sys.stderr)
            status = 1
    return status


def add_list(verb: argparse.ArgumentParser) -> None:
    """Add the arguments of list."""
    verb.epilog = "examples:\n  flowgrad list quantities\n  flowgrad list formats"
    verb.set_defaults(command=command_list)
    verb.add_argument("what", choices=("quantities", "models", "schemes", "cells", "formats", "functions"))


def command_list(args: argparse.Namespace) -> int:
    """List what flowgrad knows; the exit status."""
    print("\n".join(listing(args.what)))
    return 0
