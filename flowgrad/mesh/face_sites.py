"""Quadrature over boundary faces: sites with their own normals and shares of the area, several on a curved face, one at
the centroid of any other.

A face of a cell with shape functions N(ξ) is the image of a segment, triangle or square of reference coordinates
ξ(s) = ξ_0 + s_a e_a. With t_a = Σ x_n (∂N_n/∂ξ · e_a) its area vector is t_1 × t_2 ds, in a plane t_1 × m ds with the
plane's normal m (Hughes 2000, The Finite Element Method, §3.9); Gauss's rule on s gives the sites.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from flowgrad.mesh.cells import Block, Cells
from flowgrad.mesh.mesh import Mesh
from flowgrad.mesh.reference.shapes import LINE, QUAD, TRIANGLE, Family
from flowgrad.typing import FloatArray, IntArray

if TYPE_CHECKING:
    from scipy.sparse import csr_array

# A shape function below this is zero.
_VANISHES = 1e-12
# By the number of corners of a face.
_SHAPES: dict[int, Family] = {2: LINE, 3: TRIANGLE, 4: QUAD}


@dataclass(frozen=True, eq=False)
class FaceSites:
    """Sites (q,) on some boundary faces of a mesh, ``faces`` (k,), rows of ``mesh.topology.boundary``.

    Site i lies on ``faces[face[i]]`` at ``positions[i]``, which in its cell is ``xi[i]`` (q, 3; NaN in cells without
    reference coordinates), and stands for the area ``areas[i]`` with the unit normal ``normals[i]`` out of the mesh.
    The sites of a face follow each other, and the faces their order.
    """

    mesh: Mesh
    faces: IntArray
    face: IntArray
    positions: FloatArray
    normals: FloatArray
    areas: FloatArray
    xi: FloatArray

    def __len__(self) -> int:
        return len(self.face)

    @property
    def is_flat(self) -> bool:
        """Whether each face has one site."""
        return len(self.face) == len(self.faces)

    @property
    def cells(self) -> IntArray:
        """The cell of each site (q,)."""
        return self.mesh.topology.boundary_cells[self.faces][self.face]

    @property
    def probes(self) -> Cells:
        """That cell once for each site."""
        return self.mesh.cells.take(self.cells)

    @cached_property
    def means(self) -> csr_array:
        """Sparse (k, q): values at the sites to their means over the faces."""
        from scipy.sparse import csr_array

        total = np.bincount(self.face, self.areas, len(self.faces))
        with np.errstate(invalid="ignore", divide="ignore"):
            share = np.where(total[self.face] > 0, self.areas / total[self.face], np.nan)
        start = np.searchsorted(self.face, np.arange(len(self.faces) + 1))
        return csr_array((share, np.arange(len(self)), start), shape=(len(self.faces), len(self)))

    @cached_property
    def from_points(self) -> csr_array:
        """Sparse (q, n): values at the points of the mesh to those at the sites, by the shape functions of curved
        cells, over other faces their mean."""
        from scipy.sparse import csr_array, diags_array

        if self.is_flat:
            return self.mesh.topology.face_means(self.faces)
        probes = self.probes
        weights = np.zeros(len(probes.connectivity))
        for block in probes.blocks:
            if block.reference.is_curved:
                assert block.rows is not None
                slots = probes.offsets[block.cells][:, None] + np.arange(block.reference.size)
                weights[slots] = block.reference.values(self.xi[block.cells, : block.reference.dimension])
        on_curved = csr_array((weights, probes.connectivity, probes.offsets), shape=(len(self), self.mesh.point_count))
        alone = (np.bincount(self.face, minlength=len(self.faces)) == 1)[self.face]
        on_flat = diags_array(alone.astype(float)) @ self.mesh.topology.face_means(self.faces)[self.face]
        result = (on_curved + on_flat).tocsr()
        # Shape functions of nodes off the face vanish on it to rounding.
        result.data[np.abs(result.data) < _VANISHES] = 0.0
        result.eliminate_zeros()
        return result


def face_sites(mesh: Mesh, faces: IntArray) -> FaceSites:
    """The sites on boundary faces (k,) of a mesh of surfaces or solids; of curved cells with the rule that is exact for
    the degree of their area vectors and more."""
    topology = mesh.topology
    vectors, centroids = (each[faces] for each in topology.boundary_geometry)
    sizes = np.sqrt((vectors**2).sum(axis=1))
    with np.errstate(invalid="ignore", divide="ignore"):
        normals = vectors / np.where(sizes > 0, sizes, np.nan)[:, None]
    number = np.arange(len(faces))
    cells = topology.boundary_cells[faces]
    local = topology.boundary[faces] - mesh.faces.cell_offsets[cells]
    xi = np.full((len(faces), 3), np.nan)
    parts: list[tuple[IntArray, FloatArray, FloatArray, FloatArray, FloatArray]] = []
    is_flat = np.ones(len(faces), bool)
    for block in mesh.blocks:
        reference = block.reference
        if reference.dimension != mesh.dimension or not reference.has_interpolant:
            continue
        place = np.full(len(mesh), -1)
        place[block.cells] = np.arange(len(block.cells))
        for side in range(len(reference.faces)):
            chosen = np.flatnonzero((place[cells] >= 0) & (local == side))
            if not len(chosen):
                continue
            if not reference.is_curved:
                assert reference.nodes is not None
                xi[chosen, : mesh.dimension] = reference.nodes[list(reference.faces[side])].mean(axis=0)
                continue
            is_flat[chosen] = False
            parts.append((chosen, *_on_curved(mesh, block, side, place[cells[chosen]])))
    if is_flat.all():
        return FaceSites(mesh, faces, number, centroids, normals, sizes, xi)
    kept = np.flatnonzero(is_flat)
    parts.append((kept, centroids[kept, None], normals[kept, None], sizes[kept, None], xi[kept, None]))
    counts = [each[3].shape[1] for each in parts]
    face = np.concatenate([np.repeat(each[0], count) for each, count in zip(parts, counts, strict=True)])
    order = np.argsort(face, kind="stable")
    x, n, a, own = (np.concatenate([each[i].reshape(-1, *each[i].shape[2:]) for each in parts]) for i in range(1, 5))
    return FaceSites(mesh, faces, face[order], x[order], n[order], a[order], own[order])


def _on_curved(
    mesh: Mesh, block: Block, side: int, rows: IntArray
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Positions and normals (m, s, 3), areas (m, s) and reference coordinates (m, s, 3) of s sites on the faces with
    the number ``side`` of m cells of a block."""
    reference, dimension = block.reference, mesh.dimension
    assert reference.family is not None
    assert block.rows is not None
    corners = reference.family.corners[list(reference.family.faces[side])]
    edges = corners[[1, -1]][: dimension - 1] - corners[0]
    sites, weights = _SHAPES[len(corners)].gauss(2 * reference.degree + 1)
    xi = corners[0] + sites @ edges
    N, dN = reference.values(xi), reference.gradients(xi)
    x = mesh.points[block.rows[rows]]
    origin = x[:, :1]
    along = np.einsum("skd,ad,mkc->amsc", dN, edges, x - origin)
    if dimension == 3:
        vectors = np.cross(along[0], along[1])
        vectors *= np.sign(mesh.signed_measures[block.cells[rows]])[:, None, None]
    else:
        J = np.einsum("skd,mkc->dmsc", dN, x - origin)
        vectors = np.cross(along[0], _unit(np.cross(J[0], J[1])))
    areas = np.sqrt((vectors**2).sum(axis=-1))
    own = np.zeros((len(rows), len(xi), 3))
    own[..., :dimension] = xi
    return origin + np.einsum("sk,mkc->msc", N, x - origin), _unit(vectors), areas * weights, own


def _unit(vectors: FloatArray) -> FloatArray:
    sizes = np.sqrt((vectors**2).sum(axis=-1, keepdims=True))
    return np.asarray(vectors / np.where(sizes > 0, sizes, np.nan))
