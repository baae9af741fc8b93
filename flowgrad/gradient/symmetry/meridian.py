"""The whole meridian plane of an axisymmetric flow: a half of it, completed by its mirror image.

Across the axis the axial velocity is even, the radial and the azimuthal one are odd, so the other half
of the plane holds samples that are as good as measured ones: with them no stencil ends at the axis.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from flowgrad.flow import Flow, Patch
from flowgrad.mesh import Mesh
from flowgrad.mesh.planar import FLAT
from flowgrad.mesh.sited import SitedMesh
from flowgrad.typing import FloatArray, IntArray

# A cloud of points reaches the axis if it comes nearer than this part of its largest radius.
_NEAR = 0.1


@dataclass(frozen=True, eq=False)
class Meridian:
    """A planar flow on both sides of the axis, ``flow``, made of one on one side or on both.

    Sample ``j`` of it is the original's sample ``own[j]`` times ``signs[j]`` (3,), the originals first;
    value ``j`` on its boundary is the original's ``walls[j]`` times ``wall_signs[j]``. ``count`` is how
    many samples the original has, ``radial`` the in-plane coordinate (0 or 1) across the axis.
    """

    flow: Flow
    own: IntArray
    signs: FloatArray
    walls: IntArray
    wall_signs: FloatArray
    count: int
    radial: int


def meridian(flow: Flow) -> Meridian:
    """The meridian plane of a planar flow whose ``axisymmetric`` names the axis.

    It is mirrored where it lies on one side of the axis and reaches it. A lattice stays as it is:
    mirrored it would no longer know its axes, and its stencils keep their order at the edge.
    """
    radial = 1 if flow.axisymmetric == "x" else 0
    if type(flow.mesh) in (Mesh, SitedMesh):
        rho = flow.mesh.structure.used_points[:, radial]
        rho = rho[np.isfinite(rho)]
        reach = np.abs(rho).max(initial=0.0)
        one_sided = not (rho > FLAT * reach).any() or not (rho < -FLAT * reach).any()
        if reach and one_sided and np.abs(rho).min() <= (FLAT if len(flow.mesh) else _NEAR) * reach:
            return _mirrored(flow, radial)
    walls = sum(len(patch.faces) for patch in flow.boundary)
    n = len(flow.velocity)
    return Meridian(flow, np.arange(n), np.ones((n, 3)), np.arange(walls), np.ones((walls, 3)), n, radial)


def _mirrored(flow: Flow, radial: int) -> Meridian:
    mesh = flow.mesh
    rho = mesh.points[:, radial]
    copied = np.flatnonzero(np.abs(rho) > FLAT * np.nanmax(np.abs(rho)))
    image = np.arange(len(mesh.points))
    image[copied] = len(mesh.points) + np.arange(len(copied))
    turn = np.ones(3)
    turn[radial] = -1
    points, own = np.concatenate([mesh.points, mesh.points[copied] * turn]), mesh.cells.connectivity
    # The cells and their images; those on the axis share its points.
    twice = mesh.cells.take(np.tile(np.arange(len(mesh)), 2))
    cells = dataclasses.replace(twice, connectivity=np.concatenate([own, image[own]]))
    whole = Mesh(points, cells)
    if isinstance(mesh, SitedMesh):
        whole = SitedMesh(points, cells, np.concatenate([mesh.sites, mesh.sites * turn]))
    odd = turn * (1, 1, -1)
    n = len(flow.velocity)
    images = copied if flow.location == "points" else np.arange(n)
    own = np.concatenate([np.arange(n), images])
    signs = np.concatenate([np.ones((n, 3)), np.tile(odd, (len(images), 1))])
    patches, walls, wall_signs = _patches(flow, whole, image, odd)
    both = dataclasses.replace(flow, mesh=whole, velocity=flow.velocity[own] * signs, boundary=patches, noise=None)
    return Meridian(both, own, signs, walls, wall_signs, n, radial)


def _patches(
    flow: Flow, whole: Mesh, image: IntArray, odd: FloatArray
) -> tuple[tuple[Patch, ...], IntArray, FloatArray]:
    """Each patch and its image, without the faces on the axis, which are no boundary any more; which of
    the original's boundary values they take, and times what."""
    patches: list[Patch] = []
    walls, signs, first = [np.empty(0, np.int64)], [np.empty((0, 3))], 0
    for patch in flow.boundary:
        for points, sign in ((np.arange(len(image)), np.ones(3)), (image, odd)):
            start, own = flow.mesh.topology.face_points(patch.faces)
            rows = whole.topology.match(whole.points, start, points[own])
            found = np.flatnonzero(rows >= 0)
            patches.append(Patch(patch.name, rows[found], patch.velocity[found] * sign))
            walls.append(first + found)
            signs.append(np.tile(sign, (len(found), 1)))
        first += len(patch.faces)
    return tuple(patches), np.concatenate(walls), np.concatenate(signs)
