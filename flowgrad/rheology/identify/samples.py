"""What a flow is at the places where the balance of momentum is integrated: cells, or Gauss points within them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from flowgrad.errors import OptionError
from flowgrad.flow import Flow
from flowgrad.gradient import FiniteDifference
from flowgrad.gradient.directions import directions
from flowgrad.kinematics import VelocityGradient
from flowgrad.mesh import Mesh
from flowgrad.mesh.cells import Block
from flowgrad.tensors import symmetric
from flowgrad.typing import FloatArray

# Gauss points a direction by dimension: the test functions bend within large cells. So many cells need but one.
_POINTS = {1: 4, 2: 3, 3: 2}
_MANY_CELLS = 200_000


@dataclass(frozen=True, eq=False)
class Samples:
    """Positions (m, d) in the d directions along which the mesh extends, volumes (m,), velocities (m, 3), rates of
    deformation D (m, 3, 3) and forces f − ∂v/∂t (m, 3), all in the frame of ``basis`` (3, 3), whose first d rows are
    those directions; sorted by the first coordinate. NaN where the flow is not known."""

    basis: FloatArray
    positions: FloatArray
    volumes: FloatArray
    velocity: FloatArray
    D: FloatArray
    force: FloatArray

    @property
    def shear_rate(self) -> FloatArray:
        """√(2D:D) (m,)."""
        return np.sqrt(2 * np.einsum("nij,nij->n", self.D, self.D))


def frame_of(gradient: VelocityGradient) -> tuple[FloatArray, int]:
    """Directions (3, 3) as rows, and in how many of them the mesh is more than one cell thick. OptionError for
    flows whose balance of momentum is another one."""
    flow = gradient.flow
    if flow is None or not flow.mesh.dimension:
        raise OptionError("a viscosity from the velocity alone needs a flow on a mesh with cells: give them")
    if flow.is_meridian or flow.wedge is not None:
        raise OptionError(
            f"{flow.name}: a viscosity from the velocity alone is not available for axisymmetric flows in a meridian "
            "plane: give the flow in three dimensions, or a stress or viscosity that is known"
        )
    if not gradient.valid.any() or np.isnan(gradient.L[gradient.valid]).any():
        raise OptionError(
            f"{flow.name}: the velocity gradient is not known in all components "
            f"(out_of_plane={flow.out_of_plane}): say out_of_plane=zero if the flow is two-dimensional"
        )
    found = directions(flow.mesh, flow.mesh.centroids)
    if found.curved or not found.rank:
        raise OptionError(f"{flow.name}: the mesh is curved or has no extent: give a plane or solid mesh")
    return found.basis, found.rank


def samples(gradient: VelocityGradient, force: FloatArray) -> Samples:
    """The samples of a gradient at points or cells, and of the force (n, 3) there."""
    assert gradient.flow is not None
    basis, rank = frame_of(gradient)
    values = np.hstack([gradient["velocity"], symmetric(gradient.L).reshape(-1, 9), force])
    values[~gradient.valid] = np.nan
    positions, volumes, values = _led(gradient, values)
    x = positions @ basis[:rank].T
    order = np.argsort(x[:, 0], kind="stable")
    values = values[order]
    return Samples(
        basis,
        np.ascontiguousarray(x[order]),
        volumes[order],
        np.ascontiguousarray(values[:, :3] @ basis.T),
        np.ascontiguousarray(basis @ values[:, 3:12].reshape(-1, 3, 3) @ basis.T),
        np.ascontiguousarray(values[:, 12:] @ basis.T),
    )


def _led(gradient: VelocityGradient, values: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Values (n, c) at the points or cells of a gradient led along their slopes to Gauss points within the cells."""
    flow = gradient.flow
    assert flow is not None
    mesh, location = flow.mesh, gradient.location
    full = [block for block in mesh.blocks if block.reference.dimension == mesh.dimension]
    # Shape functions of the second degree need no slopes.
    needs = location == "cells" or any(block.reference.degree == 1 for block in full)
    slopes = _slopes(flow, str(location), values) if needs else np.zeros((*values.shape, 3))
    lead = _from_cells if location == "cells" else _from_points
    parts = [(*_gauss(mesh, block), lead(mesh, block, values, slopes)) for block in full]
    positions, volumes, found = (np.concatenate(each) for each in zip(*parts, strict=True))
    return positions, volumes, found


def _slopes(flow: Flow, location: str, values: FloatArray) -> FloatArray:
    """Derivatives (n, c, 3) of values (n, c) at points or cells; none beside places where these are not known."""
    places = flow.mesh.points if location == "points" else flow.mesh.centroids
    bare = Flow(flow.mesh, np.zeros_like(places), location)
    found = FiniteDifference(order=1).prepare(bare, location).apply(values)
    return np.where(np.isfinite(found), found, 0.0)


def _from_cells(mesh: Mesh, block: Block, values: FloatArray, slopes: FloatArray) -> FloatArray:
    positions, _ = _gauss(mesh, block)
    cells = np.repeat(block.cells, len(positions) // len(block.cells))
    return values[cells] + np.einsum("nci,ni->nc", slopes[cells], positions - mesh.centroids[cells])


def _from_points(mesh: Mesh, block: Block, values: FloatArray, slopes: FloatArray) -> FloatArray:
    """Interpolated in a cell; with half their slopes linear shape functions are exact for what is quadratic."""
    if not _has_sites(block):
        return _means(mesh, block, values)
    assert block.rows is not None
    N, positions = block.reference.values(_sites(mesh, block)[0]), _gauss(mesh, block)[0]
    found = np.einsum("sk,mkc->msc", N, values[block.rows])
    if block.reference.degree == 1:
        arms = positions.reshape(len(block.rows), len(N), 1, 3) - mesh.points[block.rows][:, None]
        found += 0.5 * np.einsum("sk,mkci,mski->msc", N, slopes[block.rows], arms, optimize=True)
    return found.reshape(-1, values.shape[1])


def _gauss(mesh: Mesh, block: Block) -> tuple[FloatArray, FloatArray]:
    """Positions (m s, 3) of s Gauss points in each of m cells, and the volumes that these stand for (m s,); one, the
    centroid, of cells that have no shape functions."""
    if not _has_sites(block):
        return mesh.centroids[block.cells], mesh.measures[block.cells]
    sites, weights = _sites(mesh, block)
    N, dN = block.reference.values(sites), block.reference.gradients(sites)
    nodes = mesh.points[block.rows]
    J = np.einsum("ska,mkd->msda", dN, nodes)
    # √det JᵀJ is |det J| of solids, and the measure of surfaces and lines.
    measure = np.sqrt(np.maximum(np.linalg.det(np.swapaxes(J, -1, -2) @ J), 0.0))
    return np.einsum("sk,mkd->msd", N, nodes).reshape(-1, 3), (measure * weights).ravel()


def _has_sites(block: Block) -> bool:
    return block.reference.has_interpolant and block.rows is not None


def _sites(mesh: Mesh, block: Block) -> tuple[FloatArray, FloatArray]:
    family = block.reference.family
    assert family is not None
    return family.gauss(1 if len(mesh) > _MANY_CELLS else _POINTS[family.dimension])


def _means(mesh: Mesh, block: Block, values: FloatArray) -> FloatArray:
    """Of the values at the points of each cell of a block."""
    start, points = mesh.cells.offsets, mesh.cells.connectivity
    return np.array([values[points[start[c] : start[c + 1]]].mean(axis=0) for c in block.cells])
