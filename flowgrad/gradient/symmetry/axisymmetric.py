"""Axisymmetric flows: from the gradient in a meridian plane to the whole tensor.

A flow that turns with the frame, v(Rx) = R v(x) for every rotation R about the axis a, has along the
circle through x the derivative L·(a × x) = a × v. In a plane through the axis, with ρ the in-plane
coordinate across it (of either sign), w the velocity normal to the plane, and z that normal, this is

    L_zz = v_ρ/ρ,    L_ρz = −w/ρ,    L_az = 0,

whichever of x and y is the axis and whichever side of it one is on; on the axis, where v_ρ = w = 0, the
limits are ∂v_ρ/∂ρ and −∂w/∂ρ. For the x axis, at y > 0, z is the azimuthal direction: (x, y, z) =
(axial, radial, θ) is right-handed, w = v_θ. For the y axis (x, y, z) = (radial, axial, −θ): turning
positively about y moves +x to −z, so w = −v_θ. With v_r, v_θ these are the entries v_r/r and −v_θ/r of
∇v in cylindrical coordinates (Batchelor 1967, App. 2; Bird, Stewart & Lightfoot 2002, table A.7-2).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flowgrad.errors import OptionError
from flowgrad.flow import Flow
from flowgrad.gradient.local_fits.directions import TAKEN_AS_ZERO
from flowgrad.gradient.noise import Weights, covariance_of
from flowgrad.gradient.operator import Composed, Operator, patch_centroids, patch_faces
from flowgrad.gradient.scheme import Scheme, Where
from flowgrad.gradient.symmetry.meridian import Meridian, meridian
from flowgrad.mesh import Mesh
from flowgrad.mesh.planar import FLAT
from flowgrad.typing import FloatArray, IntArray

if TYPE_CHECKING:
    from scipy.sparse import csr_array

# Nearer to the axis than this part of the local spacing, v_ρ/ρ is taken as ∂v_ρ/∂ρ: for v_ρ = aρ + bρ³
# that is wrong by at most 0.005 bh², and an error of v_ρ is multiplied by 20/h at most.
_ON_AXIS = 0.05
# Velocity across the axis, on it, as a fraction of the largest: more than the rounding of float32 files.
_ACROSS = 1e-5


def prepare_axisymmetric(scheme: Scheme, flow: Flow, at: Where) -> AxisymmetricOperator:
    """The scheme on a planar flow whose ``axisymmetric`` is ``x`` or ``y``; OptionError for a mesh that is
    not in a plane of constant z."""
    normal = flow.mesh.structure.normal
    if normal is None or abs(normal[2]) != 1:
        raise OptionError(
            f"{flow.name}: axisymmetric={flow.axisymmetric} needs a planar mesh with z constant, its axis the "
            f"{flow.axisymmetric} axis: leave the option out for wedges of OpenFOAM, which are recognised"
        )
    whole = meridian(flow)
    return AxisymmetricOperator(scheme.prepare(whole.flow, at), flow, whole, scheme, at)


@dataclass(frozen=True, eq=False)
class AxisymmetricOperator(Composed):
    """Whole gradients of axisymmetric flows, by a scheme on their meridian plane."""

    flow: Flow
    meridian: Meridian
    scheme: Scheme
    at: Where

    @property
    def notes(self) -> tuple[str, ...]:
        """Those of the scheme in the plane, and how many sit on the axis."""
        limits = int(self._on_axis.sum())
        where = f"; limits on the axis at {limits} of {len(self._rho)}" if limits else ""
        axis = f"the flow is axisymmetric about the {self.flow.axisymmetric} axis"
        return (f"{axis}: v_r/r and −v_θ/r complete the gradient{where}", *notes_in_plane(self.inner))

    @property
    def one_sided(self) -> NDArray[np.bool_] | None:
        """Where the gradients lack samples on one side (m,); with its mirror image the axis is no side."""
        one_sided = self.inner.one_sided
        return None if one_sided is None else one_sided[: self._size]

    @property
    def faces(self) -> IntArray | None:
        """The boundary faces of the original whose values are samples."""
        return None if self.inner.faces is None else patch_faces(self.flow.boundary)

    def takes(self, values: FloatArray) -> bool:
        """Whether the operator in the plane takes the samples of the whole plane."""
        return self.inner.takes(self.meridian.samples(values))

    @property
    def matrices(self) -> tuple[csr_array, ...]:
        """Sparse d/dx, d/dy, d/dz of scalars, which are even across the axis (d/dz is zero)."""
        fold = self._fold(np.ones(len(self.meridian.own)), np.ones(len(self.meridian.walls)))
        return tuple((matrix[: self._size] @ fold).tocsr() for matrix in self.inner.matrices)

    def vectors(self, values: FloatArray) -> FloatArray:
        """Gradients (m, 3, 3) of axisymmetric vectors (n, 3)."""
        samples = self.meridian.samples(values)
        L = np.array(self.inner.vectors(samples)[: self._size])
        radial = self.meridian.radial
        over_r = L[:, :, radial].copy()
        if self._direct.any():
            over_r[self._direct] = self._quotients(samples)[: self._size][self._direct]
        if self._between.any():
            over_r[self._between] = self._interpolated(samples)[self._between]
        stretch, turn = over_r[:, radial], over_r[:, 2]
        known = np.isfinite(L[:, 0, 0])
        L[:, :, 2] = np.where(known, 0.0, np.nan)[:, None]
        L[:, radial, 2] -= turn
        L[:, 2, 2] += stretch
        return L

    def remarks(self, flow: Flow) -> tuple[str, ...]:
        """Where the velocity on the axis crosses it."""
        return _crossing(flow, self.meridian.radial)

    def covariance(self, noise: float | FloatArray) -> FloatArray:
        """cov(L_ij, L_kl) (m, 3, 3, 3, 3): the terms over r share the noise of other rows. ``noise`` is the
        standard deviation of the samples, a number, (n,) or (n, 3); values on the boundary are exact."""
        axial, radial = 1 - self.meridian.radial, self.meridian.radial
        folds = [self._fold(self.meridian.signs[:, i], self.meridian.wall_signs[:, i]) for i in range(3)]
        along, across = (self.inner.matrices[i][: self._size] for i in (axial, radial))
        over_r = self._over_r(along, across)
        entries: dict[tuple[int, int], Weights] = {}
        for i, fold in enumerate(folds):
            entries[i, axial] = i, (along @ fold).tocsr()
            entries[i, radial] = i, (across @ fold).tocsr()
        entries[radial, 2] = 2, (-(over_r @ folds[2])).tocsr()
        entries[2, 2] = radial, (over_r @ folds[radial]).tocsr()
        return covariance_of(entries, noise, self.boundary_count)

    def _over_r(self, along: csr_array, across: csr_array) -> csr_array:
        """The matrix (m, k) that makes v/ρ of the samples of the whole plane, ∂v/∂ρ on the axis."""
        from scipy.sparse import diags_array

        rho, radial = self._rho, self.meridian.radial
        quotients = self._quotient_matrix(across.shape[1])
        result = diags_array(self._on_axis.astype(float)) @ across
        if self._direct.any():
            result = result + diags_array(self._direct.astype(float)) @ quotients[: self._size]
        if self._between.any():
            shifted = across @ diags_array(self._sites[: across.shape[1], radial]) - diags_array(rho) @ across
            linear = diags_array(self._arms[:, radial]) @ across + diags_array(self._arms[:, 1 - radial]) @ along
            result = result + diags_array(self._between.astype(float)) @ (shifted - linear) @ quotients
        return result.tocsr()

    def _quotient_matrix(self, count: int) -> csr_array:
        """What ``_quotients`` does to a component across the axis, as a matrix (k, k)."""
        from scipy.sparse import csr_array, diags_array

        near, operator = self._limits
        rho = self._sites[:count, self.meridian.radial]
        chosen = np.zeros(count, bool)
        chosen[near] = True
        with np.errstate(divide="ignore"):
            result = diags_array(np.where(chosen, 0.0, 1 / rho))
        if operator is None:
            return result.tocsr()
        spread = csr_array((np.ones(len(near)), (near, np.arange(len(near)))), shape=(count, len(near)))
        return (result + spread @ operator.matrices[self.meridian.radial]).tocsr()

    def _fold(self, signs: FloatArray, wall_signs: FloatArray) -> csr_array:
        """The matrix that makes samples of the whole plane of those of the original."""
        from scipy.sparse import csr_array

        meridian = self.meridian
        if not self.inner.boundary_count:
            source, factors = meridian.own, signs
        else:
            source = np.concatenate([meridian.own, meridian.count + meridian.walls])
            factors = np.concatenate([signs, wall_signs])
        shape = (len(source), meridian.count + self.boundary_count)
        return csr_array((factors, (np.arange(len(source)), source)), shape=shape)

    def second(self, values: FloatArray) -> FloatArray:
        """Second derivatives H_ijk = ∂²v_i/∂x_j∂x_k (m, 3, 3, 3), those in the plane by the scheme.

        L turns with the frame too, so with A the turning by a × x = ρ e_z, H_ijz = (AL − LA)_ij/ρ; on the
        axis AM − MA with M = ∂L/∂ρ, of which the part along z vanishes there.
        """
        radial = self.meridian.radial
        H = np.array(self.inner.second(self.meridian.samples(values))[: self._size])
        H[:, :, 2, :] = H[:, :, :, 2] = 0.0
        L = self.vectors(values)
        with np.errstate(divide="ignore", invalid="ignore"):
            rate = np.where(self._on_axis[:, None, None], H[..., radial], L / self._rho[:, None, None])
        turn = np.zeros((3, 3))
        turn[2, radial], turn[radial, 2] = 1.0, -1.0
        H[..., 2] = turn @ rate - rate @ turn
        H[:, :, 2, :2] = H[:, :, :2, 2]
        return H

    def apply(self, values: ArrayLike) -> FloatArray:
        """Gradients (m, 3) of scalars (n,), (m, k, 3) of (n, k), without a derivative along z."""
        values = np.asarray(values, float)
        gradients = self.inner.apply(self.meridian.scalars(values.reshape(len(values), -1)))[: self._size]
        return gradients[:, 0] if values.ndim == 1 else gradients

    @cached_property
    def _size(self) -> int:
        return self.flow.count(self.at) if isinstance(self.at, str) else len(self.at)

    @property
    def _at_samples(self) -> bool:
        return isinstance(self.at, str) and self.at == self.flow.location

    @cached_property
    def _positions(self) -> FloatArray:
        return self.flow.mesh.places(self.at)

    @property
    def _rho(self) -> FloatArray:
        return self._positions[:, self.meridian.radial]

    @cached_property
    def _on_axis(self) -> NDArray[np.bool_]:
        """Targets so near to the axis that the limits hold."""
        return self._near_axis(self._positions)

    def _near_axis(self, positions: FloatArray) -> NDArray[np.bool_]:
        radial = self.meridian.radial
        reach = np.nanmax(np.abs(self._sites[:, radial]))
        spacing = _spacing(self.flow.mesh, positions, radial)
        return np.abs(positions[:, radial]) <= np.maximum(FLAT * reach, _ON_AXIS * spacing)

    @cached_property
    def _direct(self) -> NDArray[np.bool_]:
        """Targets at a sample of their own, off the axis."""
        if not self._at_samples:
            return np.zeros(self._size, bool)
        return np.isfinite(self.flow.velocity).all(axis=1) & ~self._on_axis

    @property
    def _between(self) -> NDArray[np.bool_]:
        """Targets where v/ρ has to be interpolated: between the samples, or at a missing one."""
        return ~(self._direct | self._on_axis)

    @cached_property
    def _limits(self) -> tuple[IntArray, Operator | None]:
        """The samples on the axis, and the scheme prepared there; none where nothing is interpolated."""
        samples = self.meridian.flow
        positions = samples.mesh.points if samples.location == "points" else samples.mesh.centroids
        near = np.flatnonzero(self._near_axis(positions))
        if not self._between.any() or not len(near):
            return near, None
        return near, self.scheme.prepare(samples, positions[near])

    def _quotients(self, samples: FloatArray) -> FloatArray:
        """v/ρ of the samples of the whole plane (k, 3), a field without a jump at the axis: ∂v/∂ρ there.
        The axial component has no limit and is left out."""
        radial = self.meridian.radial
        near, operator = self._limits
        with np.errstate(divide="ignore", invalid="ignore"):
            result = samples / self._sites[: len(samples), radial, None]
        result[near] = 0.0 if operator is None else operator.vectors(samples)[:, :, radial]
        result[:, 1 - radial] = 0.0
        return np.asarray(result)

    def _interpolated(self, samples: FloatArray) -> FloatArray:
        """v/ρ (m, 3) where the gradients are, by the scheme's own derivative along ρ: a field q has the
        value q_i = [∂((ρ − ρ_i)(q − ∇q·(x − x_i)))/∂ρ]_i, exact for linear fields."""
        radial = self.meridian.radial
        q = self._quotients(samples)
        slopes = self.inner.vectors(q)[: self._size]
        moments = self.inner.vectors(q * self._sites[: len(q), radial, None])[: self._size, :, radial]
        return moments - self._rho[:, None] * slopes[:, :, radial] - np.einsum("nij,nj->ni", slopes, self._arms)

    @cached_property
    def _sites(self) -> FloatArray:
        """Positions of the samples, the axial coordinate from its mean."""
        flow = self.meridian.flow
        sites = np.concatenate([flow.mesh.places(flow.location), patch_centroids(flow.mesh, flow.boundary)])
        sites[:, 1 - self.meridian.radial] -= self._origin
        return sites

    @cached_property
    def _origin(self) -> float:
        return float(np.nanmean(self.flow.mesh.points[:, 1 - self.meridian.radial]))

    @cached_property
    def _arms(self) -> FloatArray:
        """[∂((ρ − ρ_i)(x − x_i))/∂ρ]_i (m, 3): zero but for what the scheme's order leaves."""
        radial = self.meridian.radial
        own = np.array(self._positions)
        own[:, 1 - radial] -= self._origin
        sites = self._sites if self.inner.boundary_count else self._sites[: len(self.meridian.own)]
        products = sites * sites[:, radial, None]
        arms = self.inner.vectors(products)[: self._size, :, radial] - own
        arms[:, radial] -= own[:, radial]
        arms[:, 2] = 0
        return arms


def notes_in_plane(planar: Operator) -> tuple[str, ...]:
    """The notes of a scheme on a plane, but for what it takes the derivatives across the plane for."""
    return tuple(note for note in planar.notes if not note.endswith(TAKEN_AS_ZERO))


def _crossing(flow: Flow, radial: int) -> tuple[str, ...]:
    """A note where the radial or the azimuthal velocity does not vanish on the axis."""
    if flow.location == "cells":
        return ()
    rho = flow.mesh.points[:, radial]
    on_axis = np.abs(rho) <= FLAT * np.nanmax(np.abs(rho))
    across = np.abs(flow.velocity[on_axis][:, (radial, 2)]).max(axis=1, initial=0.0)
    largest = np.nanmax(np.abs(flow.velocity), initial=0.0)
    wrong = across > _ACROSS * largest
    if not wrong.any():
        return ()
    return (
        f"the velocity across the axis is not zero at {wrong.sum()} of {len(wrong)} points on it (up to "
        f"{across[wrong].max() / largest:.2g} of the largest velocity): the gradients there are doubtful",
    )


def _spacing(mesh: Mesh, positions: FloatArray, radial: int) -> FloatArray:
    """Extent across the axis of the nearest cell, or distance of the nearest points of a cloud (m,)."""
    from scipy.spatial import cKDTree

    known = np.isfinite(positions).all(axis=1)
    result = np.zeros(len(positions))
    if len(mesh):
        sites, sizes = mesh.centroids, _extents(mesh, radial)
        chosen = mesh.is_full & np.isfinite(sites).all(axis=1) & np.isfinite(sizes)
        sites, sizes = sites[chosen], sizes[chosen]
    else:
        sites = mesh.points[np.isfinite(mesh.points).all(axis=1)]
        sizes = cKDTree(sites).query(sites, 2)[0][:, 1]
    if len(sites):
        result[known] = sizes[cKDTree(sites).query(positions[known])[1]]
    return result


def _extents(mesh: Mesh, radial: int) -> FloatArray:
    rho = mesh.points[mesh.cells.connectivity, radial]
    starts = mesh.cells.offsets[:-1]
    return np.maximum.reduceat(rho, starts) - np.minimum.reduceat(rho, starts)
