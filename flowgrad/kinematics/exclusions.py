"""Which gradients are missing or doubtful, and why: nothing is left out without a word."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from flowgrad.flow import Flow
from flowgrad.mesh import Mesh
from flowgrad.tensors import finite_rows

Mask = NDArray[np.bool_]


def notes(flow: Flow, at: str, valid: Mask) -> tuple[str, ...]:
    """One line for each kind of missing gradient, and one for inverted cells."""
    bad_values = _bad_velocities(flow)
    lines = list(bad_values)
    if not valid.all():
        lines.append(_missing(flow, at, valid, bool(bad_values)))
    flat = int((flow.mesh.is_full & (flow.mesh.measures == 0)).sum())
    if flat and at == "points":
        lines.append(f"{flat} of {len(flow.mesh)} cells have no volume and take no part")
    lost = int((~finite_rows(flow.mesh.points)).sum())
    if lost:
        lines.append(f"{lost} of {len(flow.mesh.points)} points have coordinates that are not finite")
    inverted = int(inverted_cells(flow.mesh).sum())
    if inverted:
        lines.append(
            f"{inverted} of {len(flow.mesh)} cells are inverted: their volume is negative, their gradient kept"
        )
    folded = int(flow.mesh.is_folded.sum())
    if folded:
        lines.append(
            f"{folded} of {len(flow.mesh)} cells are folded: their Jacobian changes sign inside, their gradient is kept"
        )
    return tuple(lines)


def notes_at_positions(flow: Flow, valid: Mask) -> tuple[str, ...]:
    """How many of the positions have no gradient."""
    lines = list(_bad_velocities(flow))
    if not valid.all():
        lines.append(f"{(~valid).sum()} of {len(valid)} positions have no gradient and are excluded")
    return tuple(lines)


def _bad_velocities(flow: Flow) -> tuple[str, ...]:
    bad = int((~finite_rows(flow.velocity)).sum())
    return (f"{bad} of {len(flow.velocity)} velocities at {flow.location} are not finite",) if bad else ()


def _missing(flow: Flow, at: str, valid: Mask, bad_values: bool) -> str:
    missing, mesh = ~valid, flow.mesh
    if at == "cells":
        flat = missing & mesh.is_full & (mesh.measures == 0)
        alone = missing & ~mesh.is_full
        causes = [(int(flat.sum()), "of zero volume"), (int(alone.sum()), "of lower dimension without a full cell")]
    else:
        causes = [(int((missing & ~_used(mesh)).sum()), "in no cell")] if len(mesh) else []
    rest = int(missing.sum()) - sum(count for count, _ in causes)
    why = "that use values that are not finite, or " if bad_values else ""
    causes.append((rest, why + "where the velocity determines none"))
    listed = ", ".join(f"{count} {cause}" for count, cause in causes if count)
    return f"{missing.sum()} of {len(valid)} {at} have no gradient and are excluded: {listed}"


def _used(mesh: Mesh) -> Mask:
    """Points that belong to a cell of full dimension."""
    used = np.zeros(len(mesh.points), bool)
    used[mesh.cells.connectivity[np.repeat(mesh.is_full, np.diff(mesh.cells.offsets))]] = True
    return used


def inverted_cells(mesh: Mesh) -> Mask:
    """Solid cells whose orientation differs from that of most cells of their type (a type that is
    turned throughout is a convention of its writer, not an error)."""
    inverted = np.zeros(len(mesh), bool)
    for block in mesh.blocks:
        if block.reference.dimension == 3:
            sign = np.sign(mesh.signed_measures[block.cells])
            inverted[block.cells] = sign * (1 if np.nansum(sign) >= 0 else -1) < 0
    return inverted
