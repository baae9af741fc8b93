"""Which gradients are missing or doubtful, and why: nothing is left out without a word."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from flowgrad.flow import Flow
from flowgrad.mesh import Mesh

Mask = NDArray[np.bool_]


def notes(flow: Flow, at: str, valid: Mask) -> tuple[str, ...]:
    """One line for each kind of missing gradient, and one for inverted cells."""
    lines = []
    bad_values = np.asarray(~np.isfinite(flow.velocity).all(axis=1))
    if bad_values.any():
        lines.append(f"{bad_values.sum()} of {len(bad_values)} velocities at {flow.location} are not finite")
    if not valid.all():
        lines.append(_missing(flow, at, valid, bad_values))
    flat = int((flow.mesh.is_full & (flow.mesh.measures == 0)).sum())
    if flat and at == "points":
        lines.append(f"{flat} of {len(flow.mesh)} cells have no volume and take no part")
    lost = int((~np.isfinite(flow.mesh.points).all(axis=1)).sum())
    if lost:
        lines.append(f"{lost} of {len(flow.mesh.points)} points have coordinates that are not finite")
    inverted = int(_inverted(flow.mesh).sum())
    if inverted:
        lines.append(
            f"{inverted} of {len(flow.mesh)} cells are inverted: their volume is negative, their gradient kept"
        )
    return tuple(lines)


def _missing(flow: Flow, at: str, valid: Mask, bad_values: Mask) -> str:
    missing, mesh = ~valid, flow.mesh
    if at == "cells":
        flat = missing & mesh.is_full & (mesh.measures == 0)
        alone = missing & ~mesh.is_full
        causes = [(int(flat.sum()), "of zero volume"), (int(alone.sum()), "of lower dimension without a full cell")]
    else:
        causes = [(int((missing & ~_used(mesh)).sum()), "in no cell")]
    rest = int(missing.sum()) - sum(count for count, _ in causes)
    why = "that use values that are not finite, or " if bad_values.any() else ""
    causes.append((rest, why + "whose surroundings determine no gradient"))
    listed = ", ".join(f"{count} {cause}" for count, cause in causes if count)
    return f"{missing.sum()} of {len(valid)} {at} have no gradient and are excluded: {listed}"


def _used(mesh: Mesh) -> Mask:
    """Points that belong to a cell of full dimension."""
    used = np.zeros(len(mesh.points), bool)
    used[mesh.cells.connectivity[np.repeat(mesh.is_full, np.diff(mesh.cells.offsets))]] = True
    return used


def _inverted(mesh: Mesh) -> Mask:
    """Solid cells whose orientation differs from that of most cells of their type (a type that is
    turned throughout is a convention of its writer, not an error)."""
    inverted = np.zeros(len(mesh), bool)
    for block in mesh.blocks:
        if block.reference.dimension == 3:
            sign = np.sign(mesh.signed_measures[block.cells])
            inverted[block.cells] = sign * (1 if np.nansum(sign) >= 0 else -1) < 0
    return inverted
