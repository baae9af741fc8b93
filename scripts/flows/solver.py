"""Steady flow of a generalised Newtonian fluid by finite elements: P2 velocity, P1 pressure (Taylor & Hood 1973,
Comput. Fluids 1, 73), Picard's iteration and then Newton's; in a plane, or about the x axis without swirl."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from skfem import Basis, BilinearForm, ElementTriP1, ElementTriP2, ElementVector, LinearForm, MeshTri, bmat, solve
from skfem.helpers import ddot, div, dot, grad, sym_grad
from skfem.utils import condense

from flowgrad.flow import Flow
from flowgrad.mesh import Cells, Mesh
from flowgrad.rheology.model import Model

Velocity = Callable[[np.ndarray], np.ndarray]
Factor = Callable[[np.ndarray], np.ndarray]

_QUADRATIC_TRIANGLE = 22
_STEP = 1e-5
_ON_AXIS = 1e-9


def steady_flow(
    mesh: MeshTri,
    law: Model,
    density: float,
    walls: Callable[[np.ndarray], np.ndarray],
    velocity: Velocity,
    steps: int = 60,
    tolerance: float = 1e-9,
    factor: Factor | None = None,
    axisymmetric: bool = False,
) -> Flow:
    """The flow of a fluid whose viscosity is that of a law times a ``factor`` of x (2, …), with a ``velocity`` (2, n)
    of x (2, n) on the boundary where ``walls`` (n,) of x is True, free of traction on the rest. An
    ``axisymmetric`` one is about the x axis, y its radius. RuntimeError where the iteration does not come to rest."""
    space = Basis(mesh, ElementVector(ElementTriP2()), intorder=6)
    pressure = space.with_element(ElementTriP1())
    r = np.asarray(space.global_coordinates())[1]
    measure = {"r": r, "curvature": 1 / r} if axisymmetric else {"r": np.ones_like(r), "curvature": np.zeros_like(r)}
    fixed = _fixed(space, walls)
    if axisymmetric:
        on_axis = space.get_dofs(lambda x: x[1] < _ON_AXIS)
        fixed = np.union1d(fixed, np.concatenate([on_axis.nodal["u^2"], on_axis.facet["u^2"]]))
    u = np.zeros(space.N + pressure.N)
    u[fixed] = _on_boundary(space, velocity)[fixed]
    enclosed = len(fixed) == len(space.get_dofs().all())
    known = np.append(fixed, space.N) if enclosed else fixed
    b = -_divergence.assemble(space, pressure, **measure)
    for step in range(steps):
        matrix, force = _linearised(space, u[: space.N], law, density, step >= 5, factor, measure)
        system = bmat([[matrix, b.T], [b, None]], "csr")
        new = solve(*condense(system, np.append(force, np.zeros(pressure.N)), x=u, D=known))
        change = np.abs(new - u)[: space.N].max() / np.abs(new[: space.N]).max()
        u = new
        if change < tolerance:
            return _flow(mesh, space, u[: space.N], "x" if axisymmetric else None)
    raise RuntimeError(f"{law}: no steady flow after {steps} steps, the last of which changed it by {change:.1e}")


@BilinearForm
def _divergence(u, q, w):
    return w.r * (div(u) + w.curvature * u[1]) * q


@BilinearForm
def _tangent(u, v, w):
    along, across = _power(w, u), _power(w, v)
    viscous = 2 * w.eta * (ddot(sym_grad(u), sym_grad(v)) + w.curvature**2 * u[1] * v[1])
    viscous = viscous + w.newton * 4 * w.slope * along * across
    convective = dot(_apply(grad(u), w.u), v) + w.newton * dot(_apply(w.L, u), v)
    return w.r * (viscous + w.density * convective)


@LinearForm
def _force(v, w):
    viscous = 4 * w.slope * (ddot(w.D, w.D) + w.hoop**2) * _power(w, v)
    return w.r * w.newton * (viscous + w.density * dot(_apply(w.L, w.u), v))


def _power(w, v):
    """D:∇v, with the hoop strains D_θθ = v_r/r of both."""
    return ddot(w.D, sym_grad(v)) + w.hoop * w.curvature * v[1]


def _apply(L, v):
    return np.einsum("ij...,j...->i...", L, v)


def _linearised(
    space: Basis, u: np.ndarray, law: Model, density: float, newton: bool, factor: Factor | None, measure: dict
):
    """The matrix and the right side of the next step; ``slope`` is dη/dγ̇ / γ̇."""
    field = space.interpolate(u)
    D = sym_grad(field)
    hoop = measure["curvature"] * np.asarray(field)[1]
    rate = np.sqrt(2 * (ddot(D, D) + hoop**2)) + 1e-12
    eta = law.viscosity(rate)
    slope = (law.viscosity(rate * (1 + _STEP)) - law.viscosity(rate * (1 - _STEP))) / (2 * _STEP * rate**2)
    if factor is not None:
        eta, slope = (each * factor(np.asarray(space.global_coordinates())) for each in (eta, slope))
    known = {"u": np.asarray(field), "L": np.asarray(grad(field)), "D": D, "eta": eta, "slope": slope}
    known |= {"hoop": hoop, "density": density, "newton": float(newton)} | measure
    return _tangent.assemble(space, **known), _force.assemble(space, **known)


def _fixed(space: Basis, walls: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    facets = space.mesh.boundary_facets()
    middles = space.mesh.p[:, space.mesh.facets[:, facets]].mean(axis=1)
    return space.get_dofs(facets[walls(middles)]).all()


def _on_boundary(space: Basis, velocity: Velocity) -> np.ndarray:
    values = velocity(space.doflocs)
    result = np.zeros(space.N)
    for dofs in (space.nodal_dofs, space.facet_dofs):
        for i in range(2):
            result[dofs[i]] = values[i, dofs[i]]
    return result


def _flow(mesh: MeshTri, space: Basis, u: np.ndarray, axis: str | None) -> Flow:
    """The velocity at the points of quadratic triangles: the corners, and the middles of the edges."""
    middles = mesh.p[:, mesh.facets].mean(axis=1)
    points = np.hstack([mesh.p, middles]).T
    rows = np.vstack([mesh.t, mesh.nvertices + mesh.t2f]).T
    velocity = np.vstack([u[space.nodal_dofs].T, u[space.facet_dofs].T])
    cells = Cells.of_type(_QUADRATIC_TRIANGLE, rows)
    return Flow(Mesh(np.column_stack([points, np.zeros(len(points))]), cells), velocity, "points", axisymmetric=axis)
