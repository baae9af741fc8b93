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
from numpy.typing import ArrayLike

from flowgrad.errors import OptionError
from flowgrad.flow import Flow
from flowgrad.gradient.local_fits.directions import TAKEN_AS_ZERO
from flowgrad.gradient.noise import Weights, covariance_of
from flowgrad.gradient.scheme import Composed, Operator, Scheme, Where, handed_on, patch_centroids, patch_faces
from flowgrad.gradient.symmetry.meridian import Meridian, meridian
from flowgrad.mesh import Mesh
from flowgrad.mesh.planar import FLAT
from flowgrad.typing import BoolArray, FloatArray, IntArray

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
    inner, radial, mesh = scheme.prepare(whole.flow, at), whole.radial, flow.mesh
    positions = mesh.places(at)
    origin = np.zeros(3)
    origin[1 - radial] = np.nanmean(mesh.points[:, 1 - radial])
    own = whole.flow.mesh.places(whole.flow.location)
    sites = np.concatenate([own, patch_centroids(whole.flow.mesh, whole.flow.boundary)]) - origin
    reach = np.nanmax(np.abs(sites[:, radial]))
    on_axis, own_on_axis = (
        np.abs(x[:, radial]) <= np.maximum(FLAT * reach, _ON_AXIS * _spacing(mesh, x, radial)) for x in (positions, own)
    )
    direct = np.zeros(len(positions), bool)
    if isinstance(at, str) and at == flow.location:
        direct = np.isfinite(flow.velocity).all(axis=1) & ~on_axis
    between, near = ~(direct | on_axis), np.flatnonzero(own_on_axis)
    limits = scheme.prepare(whole.flow, own[near]) if between.any() and len(near) else None
    where = f"; limits on the axis at {on_axis.sum()} of {len(positions)}" if on_axis.any() else ""
    note = f"the flow is axisymmetric about the {flow.axisymmetric} axis: v_r/r and −v_θ/r complete the gradient{where}"
    in_plane = [each for each in inner.notes if not each.endswith(TAKEN_AS_ZERO)]
    about = handed_on(
        inner,
        notes=(note, *in_plane),
        faces=None if inner.faces is None else patch_faces(flow.boundary),
        # With its mirror image the axis is no side.
        one_sided=None if inner.one_sided is None else inner.one_sided[: len(positions)],
    )
    places = positions - origin, on_axis, direct, between
    return AxisymmetricOperator(inner, whole, *places, sites, near, limits, **about)


@dataclass(frozen=True, eq=False)
class AxisymmetricOperator(Composed):
    """Whole gradients of axisymmetric flows, by a scheme on their meridian plane.

    They are at ``positions`` (m, 3): so near to the axis that the limits hold (``on_axis``), at a sample of their own
    (``direct``), or ``between`` the samples or at a missing one, where v/ρ has to be interpolated. ``sites`` (k, 3) are
    those of the samples of the whole plane; both have the axial coordinate from its mean. ``near`` are the samples on
    the axis, where ``limits`` is the scheme prepared, if v/ρ is interpolated anywhere.
    """

    meridian: Meridian
    positions: FloatArray
    on_axis: BoolArray
    direct: BoolArray
    between: BoolArray
    sites: FloatArray
    near: IntArray
    limits: Operator | None

    def seen(self, values: FloatArray) -> FloatArray:
        """Vectors on the whole plane from those of the original, with values on the boundary or without."""
        whole = self.meridian
        samples = values[: whole.count][whole.own] * whole.signs
        if len(values) == whole.count:
            return samples
        return np.concatenate([samples, values[whole.count :][whole.walls] * whole.wall_signs])

    @property
    def matrices(self) -> tuple[csr_array, ...]:
        """Sparse d/dx, d/dy, d/dz of scalars, which are even across the axis (d/dz is zero)."""
        fold = self._fold(np.ones(len(self.meridian.own)), np.ones(len(self.meridian.walls)))
        return tuple((matrix[: len(self.positions)] @ fold).tocsr() for matrix in self.inner.matrices)

    def vectors(self, values: FloatArray) -> FloatArray:
        """Gradients (m, 3, 3) of axisymmetric vectors (n, 3)."""
        samples = self.seen(values)
        L = np.array(self.inner.vectors(samples)[: len(self.positions)])
        radial = self.meridian.radial
        over_r = L[:, :, radial].copy()
        if self.direct.any():
            over_r[self.direct] = self._quotients(samples)[: len(self.positions)][self.direct]
        if self.between.any():
            over_r[self.between] = self._interpolated(samples)[self.between]
        stretch, turn = over_r[:, radial], over_r[:, 2]
        known = np.isfinite(L[:, 0, 0])
        L[:, :, 2] = np.where(known, 0.0, np.nan)[:, None]
        L[:, radial, 2] -= turn
        L[:, 2, 2] += stretch
        return L

    def remarks(self, flow: Flow) -> tuple[str, ...]:
        """A note where the radial or the azimuthal velocity does not vanish on the axis."""
        if flow.location == "cells":
            return ()
        radial = self.meridian.radial
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

    def covariance(self, noise: float | FloatArray) -> FloatArray:
        """cov(L_ij, L_kl) (m, 3, 3, 3, 3): the terms over r share the noise of other rows. ``noise`` is the
        standard deviation of the samples, a number, (n,) or (n, 3); values on the boundary are exact."""
        axial, radial = 1 - self.meridian.radial, self.meridian.radial
        folds = [self._fold(self.meridian.signs[:, i], self.meridian.wall_signs[:, i]) for i in range(3)]
        along, across = (self.inner.matrices[i][: len(self.positions)] for i in (axial, radial))
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

        rho, radial = self.positions[:, self.meridian.radial], self.meridian.radial
        quotients = self._quotient_matrix(across.shape[1])
        result = diags_array(self.on_axis.astype(float)) @ across
        if self.direct.any():
            result = result + diags_array(self.direct.astype(float)) @ quotients[: len(self.positions)]
        if self.between.any():
            shifted = across @ diags_array(self.sites[: across.shape[1], radial]) - diags_array(rho) @ across
            linear = diags_array(self._arms[:, radial]) @ across + diags_array(self._arms[:, 1 - radial]) @ along
            result = result + diags_array(self.between.astype(float)) @ (shifted - linear) @ quotients
        return result.tocsr()

    def _quotient_matrix(self, count: int) -> csr_array:
        """What ``_quotients`` does to a component across the axis, as a matrix (k, k)."""
        from scipy.sparse import csr_array, diags_array

        near, operator = self.near, self.limits
        rho = self.sites[:count, self.meridian.radial]
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
        H = np.array(self.inner.second(self.seen(values))[: len(self.positions)])
        H[:, :, 2, :] = H[:, :, :, 2] = 0.0
        L = self.vectors(values)
        with np.errstate(divide="ignore", invalid="ignore"):
            rate = np.where(
                self.on_axis[:, None, None], H[..., radial], L / self.positions[:, self.meridian.radial][:, None, None]
            )
        turn = np.zeros((3, 3))
        turn[2, radial], turn[radial, 2] = 1.0, -1.0
        H[..., 2] = turn @ rate - rate @ turn
        H[:, :, 2, :2] = H[:, :, :2, 2]
        return H

    def apply(self, values: ArrayLike) -> FloatArray:
        """Gradients (m, 3) of scalars (n,), (m, k, 3) of (n, k), without a derivative along z."""
        values, whole = np.asarray(values, float), self.meridian
        columns = values.reshape(len(values), -1)
        # Scalars are even across the axis.
        samples = columns[: whole.count][whole.own]
        if len(columns) != whole.count:
            samples = np.concatenate([samples, columns[whole.count :][whole.walls]])
        gradients = self.inner.apply(samples)[: len(self.positions)]
        return gradients[:, 0] if values.ndim == 1 else gradients

    def _quotients(self, samples: FloatArray) -> FloatArray:
        """v/ρ of the samples of the whole plane (k, 3), a field without a jump at the axis: ∂v/∂ρ there.
        The axial component has no limit and is left out."""
        radial = self.meridian.radial
        near, operator = self.near, self.limits
        with np.errstate(divide="ignore", invalid="ignore"):
            result = samples / self.sites[: len(samples), radial, None]
        result[near] = 0.0 if operator is None else operator.vectors(samples)[:, :, radial]
        result[:, 1 - radial] = 0.0
        return np.asarray(result)

    def _interpolated(self, samples: FloatArray) -> FloatArray:
        """v/ρ (m, 3) where the gradients are, by the scheme's own derivative along ρ: a field q has the
        value q_i = [∂((ρ − ρ_i)(q − ∇q·(x − x_i)))/∂ρ]_i, exact for linear fields."""
        radial = self.meridian.radial
        q = self._quotients(samples)
        slopes = self.inner.vectors(q)[: len(self.positions)]
        moments = self.inner.vectors(q * self.sites[: len(q), radial, None])[: len(self.positions), :, radial]
        along = self.positions[:, radial, None] * slopes[:, :, radial]
        return moments - along - np.einsum("nij,nj->ni", slopes, self._arms)

    @cached_property
    def _arms(self) -> FloatArray:
        """[∂((ρ − ρ_i)(x − x_i))/∂ρ]_i (m, 3): zero but for what the scheme's order leaves."""
        radial = self.meridian.radial
        own = self.positions
        sites = self.sites if self.inner.boundary_count else self.sites[: len(self.meridian.own)]
        products = sites * sites[:, radial, None]
        arms = self.inner.vectors(products)[: len(self.positions), :, radial] - own
        arms[:, radial] -= own[:, radial]
        arms[:, 2] = 0
        return arms


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
