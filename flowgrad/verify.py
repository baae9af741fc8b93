"""Accuracy of the schemes on a mesh: their errors for flows in closed form that are put on it: smooth waves, inside and
at the boundary, beside the estimates of these errors, layers on its walls, and a linear flow, which must come out to
rounding."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property, partial

import numpy as np

from flowgrad.errors import FlowgradError, MeshError
from flowgrad.exact import Axisymmetric, ExactFlow, Linear, Waves
from flowgrad.exact.wall_layer import WallLayer
from flowgrad.flow import Flow, Patch
from flowgrad.gradient import SCHEMES, Scheme, choose_scheme
from flowgrad.gradient.lattice import lattice_operator
from flowgrad.gradient.local_fits.directions import directions
from flowgrad.gradient.local_fits.operator import PolynomialFits
from flowgrad.gradient.prepared import prepare
from flowgrad.gradient.scheme import Gradients
from flowgrad.kinematics.on_mesh import inverted_cells
from flowgrad.mesh import Lattice, Mesh
from flowgrad.mesh.generate import block
from flowgrad.typing import BoolArray, FloatArray, IntArray

# So many points or cells are looked at, chosen at random where there are more.
MOST = 20_000
# Seconds after which no further scheme is begun on a user's mesh.
BUDGET = 12.0
# Linear flows come out to this; less well only where cells are so much smaller than the mesh that the
# rounding of the velocities shows.
_EXACT, _ROUNDING = 1e-9, 200 * float(np.finfo(float).eps)
# On generated meshes an observed order may be this much below the one due, where errors are above the floor.
SLACK, _FLOOR = 0.2, 1e-11
# Between these the estimated error, over the true one, is honest.
_HONEST = 0.7, 1.4
# The waves are as long as the mesh's smallest extent, but at least so many spacings.
_SPACINGS_A_WAVE = 16.0
_WAVES = np.array([[0.9, 0.4, -0.3], [-0.3, 0.8, 0.5], [0.5, -0.4, 0.8]])
_AMPLITUDES = np.array([[1.0, 0.4, -0.3], [-0.5, 1.0, 0.3], [0.2, -0.4, 1.0]])
# The gradient of a linear flow.
LINEAR = np.array([[1.0, 0.3, -2.0], [0.6, -0.4, 0.2], [-0.7, 0.9, -0.6]])
# Layers go along this, of the directions that the mesh has.
_ALONG = np.array([1.0, 0.6, -0.4])
# A boundary face looks across a layer one cell thick where its normal lies along it by more than this cosine.
_ACROSS = 0.9
# Faces nearer to the axis than this part of the radius lie on it; larger lattices get no layers.
_ON_AXIS, _LARGE = 1e-6, 2_000_000
# Places that are named, of those of a kind.
_NAMED = 3


def verify(flow: Flow | None = None) -> Iterator[tuple[str, bool]]:
    """Lines of text, each with whether what it says is as it must be: on the mesh of a flow, the error of each scheme
    that fits it; without a flow the same on four generated meshes, each in two sizes, with the order of convergence
    from one to the other.

    MeshError for a mesh on which there is nothing to differentiate.
    """
    failed = 0
    for line, passed in _of_generated() if flow is None else _of_user(flow):
        failed += not passed
        yield line, passed
    yield "", True
    good = "every scheme that fits reproduces linear flows on this mesh to rounding"
    fault = "a linear flow is not reproduced to rounding on this mesh"
    if flow is None:
        good = "orders are those due, and every scheme reproduces linear flows to rounding"
        fault = "this machine's numpy, numba or scipy, or flowgrad itself, is at fault"
    lines = "1 line" if failed == 1 else f"{failed} lines"
    yield f"FAILED: {lines} above: {fault}" if failed else f"passed: {good}", not failed


def _of_user(user: Flow) -> Iterator[tuple[str, bool]]:
    """The mesh, a table for each place, and the trouble spots."""
    made, trials = Manufactured.of(user.joined), []
    yield from _head(made)
    yield from ((note, True) for note in (user.mesh.joints.notes if user.mesh.joints else ()))
    small = _at_rest(block("quad" if user.mesh.dimension in (1, 2) else "hexahedron", 5, jitter=0), user.location)
    for trial in _trials(Manufactured.of(small)):
        trial.tried  # noqa: B018 - compiles the kernels before the time is counted
    for trial in _trials(made, time.perf_counter() + BUDGET):
        yield from _table(trial)
        trials.append(trial)
    yield from ((line, True) for line in _trouble(trials))


def _of_generated() -> Iterator[tuple[str, bool]]:
    """A table for each place on four meshes, with the orders of convergence from a coarser mesh of the kind."""
    yield f"orders of convergence inside and at the boundary must be those due, less {SLACK};", True
    yield f"est./true is the estimated error (--error) over the true one, {_HONEST[0]} to {_HONEST[1]} if honest.", True
    for coarse, fine in generated():
        made = Manufactured.of(fine)
        coarser = replace(Manufactured.of(coarse), waves=made.waves)
        yield "", True
        yield from _head(made)
        for pair in zip(_trials(made), _trials(coarser), strict=True):
            yield from _table(*pair)


def generated() -> Iterator[tuple[Flow, Flow]]:
    """Flows at rest on a coarse and a fine mesh of triangles, tetrahedra and hexahedra, and on stretched lattices."""
    for kind, location, sizes in (
        ("triangle", "points", (33, 65)),
        ("tetra", "cells", (13, 19)),
        ("hexahedron", "points", (17, 25)),
        ("", "points", (25, 33)),
    ):
        axes = [0.5 + 0.5 * np.tanh(np.linspace(-1, 1, n)) / np.tanh(1) for n in sizes]
        coarse, fine = (
            block(kind, n) if kind else Lattice.rectilinear(x, x, x) for n, x in zip(sizes, axes, strict=True)
        )
        yield _at_rest(coarse, location), _at_rest(fine, location)


def _at_rest(mesh: Mesh, location: str) -> Flow:
    return Flow(mesh, np.zeros_like(mesh.places(location)), location)


@dataclass(frozen=True, eq=False)
class Manufactured:
    """Flows in closed form for the mesh of a ``user``, along the directions that it has and symmetric about the axis
    where the user's flow is: smooth ``waves`` of a ``wavelength`` that the mesh resolves, a ``linear`` flow with
    velocities and gradients near 1, and a ``layer`` on the walls; None where the mesh has none that layers can follow.

    ``spacing`` is a typical distance of samples, ``extent`` the mesh's largest; the mesh is one cell thick ``across``
    (k, 3), the azimuth of a wedge among them, or a ``curved`` surface.
    """

    user: Flow
    waves: ExactFlow
    linear: ExactFlow
    layer: WallLayer | None
    wavelength: float
    spacing: float
    extent: float
    across: FloatArray
    curved: bool

    @classmethod
    def of(cls, user: Flow) -> Manufactured:
        """Those of a user's flow; MeshError where no two points lie apart."""
        mesh, wedge = user.mesh, user.wedge
        points = mesh.structure.used_points
        points = points[np.isfinite(points).all(axis=1)]
        if not len(points) or not np.ptp(points, axis=0).any():
            raise MeshError(f"{user.name}: no two points lie apart: there is nothing to differentiate")
        where = directions(mesh, mesh.places(user.location))
        basis = where.basis if where.curved else where.basis[: where.free]
        extents = np.ptp(points @ (basis if len(basis) else where.basis[:1]).T, axis=0)
        sizes, count = extents[extents > 0], max(user.count(user.location), 1)
        fill, dimension = (mesh.measures.sum(), mesh.dimension) if where.curved else (np.prod(sizes), len(sizes))
        spacing = float((fill / count) ** (1 / dimension))
        wavelength = max(float(sizes.min()), _SPACINGS_A_WAVE * spacing)
        number = 2 * np.pi / wavelength
        across = where.across if wedge is None else wedge.frame[2:]
        if wedge is not None or user.is_meridian:
            axis, origin = np.eye(3)[0 if user.axisymmetric == "x" else 1], np.zeros(3)
            if wedge is not None:
                axis, origin = wedge.frame[0], wedge.origin
            waves: ExactFlow = Axisymmetric(axis, origin, number)
            linear, along = Linear((3 * np.outer(axis, axis) - np.eye(3)) / wavelength, origin), axis
        else:
            middle, vectors = points.mean(axis=0), number * _WAVES[:, : len(basis)] @ basis
            # Phases at the middle: shifted meshes see the same flow.
            waves = Waves(vectors, _AMPLITUDES, np.array([0.3, 1.1, 2.0]) - vectors @ middle)
            linear, along = Linear(LINEAR @ (basis.T @ basis) / wavelength, middle), _ALONG[: len(basis)] @ basis
        walls = np.empty(0, np.int64) if where.curved or wedge is not None else walls_of(user, across)
        layer = WallLayer.on(mesh, walls, along) if len(walls) else None
        return cls(user, waves, linear, layer, wavelength, spacing, float(extents.max()), across, where.curved)

    def flow(self, exact: ExactFlow) -> Flow:
        """The user's flow, its mesh, place and patches, with the velocity of another."""
        made = sampled(exact, self.user.mesh, self.user.location, self.user.boundary)
        return replace(made, source=self.user.source, axisymmetric=self.user.axisymmetric, velocity_name="velocity")


@dataclass(frozen=True)
class ErrorNorms:
    """Root mean squares of |L − L_exact|, and its largest value, over the root mean square of |L_exact|
    at all places; NaN where there are none. ``worst`` is the place of the largest."""

    interior: float
    boundary: float
    overall: float
    largest: float
    worst: int
    missing: int

    @classmethod
    def of(cls, L: FloatArray, exact: FloatArray, at_boundary: BoolArray) -> ErrorNorms:
        """That of gradients (m, 3, 3); ``at_boundary`` (m,) tells the parts apart."""
        squares = ((L - exact) ** 2).sum(axis=(1, 2))
        known = np.isfinite(squares)
        size = _root_mean((exact**2).sum(axis=(1, 2)))
        parts = known & ~at_boundary, known & at_boundary, known
        inside, edge, both = (_root_mean(squares[part]) / size for part in parts)
        counted = np.where(known, squares, -1.0)
        worst = int(counted.argmax())
        return cls(inside, edge, both, float(np.sqrt(max(counted[worst], 0.0))) / size, worst, int((~known).sum()))


def _root_mean(squares: FloatArray) -> float:
    return float(np.sqrt(squares.mean())) if len(squares) else np.nan


def sampled(exact: ExactFlow, mesh: Mesh, location: str, boundary: tuple[Patch, ...] = ()) -> Flow:
    """An exact flow at the points or cells of a mesh, and at the centroids of its patches."""
    centroids = mesh.topology.boundary_geometry[1] if boundary else np.empty((0, 3))
    patches = (Patch(patch.name, patch.faces, exact.velocity(centroids[patch.faces])) for patch in boundary)
    return Flow(mesh, exact.velocity(mesh.places(location)), location, boundary=tuple(patches))


def at_boundary(mesh: Mesh, at: str, across: FloatArray | None = None) -> BoolArray:
    """Points on the boundary, or cells with a face there, faces that look along the directions ``across``
    (k, 3) left out."""
    if isinstance(mesh, Lattice):
        ends = np.zeros((mesh.shape if at == "points" else mesh.cell_shape)[::-1], bool)
        for a in mesh.active:
            if mesh.axes[a].period is None:
                layers = np.moveaxis(ends, 2 - a, 0)
                layers[0] = layers[-1] = True
        return ends.ravel()
    touched, topology = np.zeros(len(mesh.places(at)), bool), mesh.topology
    if not len(mesh):
        return touched
    counted = _faces_beside(mesh, across)
    if at == "points":
        return topology.points_on(np.flatnonzero(counted))
    touched[topology.boundary_cells[counted]] = True
    return touched


def _faces_beside(mesh: Mesh, across: FloatArray | None) -> BoolArray:
    """Boundary faces (b,) that do not look along the directions ``across`` (k, 3)."""
    area = mesh.topology.boundary_geometry[0]
    along = np.abs(area @ (np.empty((0, 3)) if across is None else across).T).max(axis=1, initial=0.0)
    return np.asarray(along <= _ACROSS * np.sqrt((area**2).sum(axis=1)))


def walls_of(user: Flow, across: FloatArray) -> IntArray:
    """The boundary faces (k,) of the patches at rest, of all where there are none; without those that look ``across``
    (k, 3) a thin layer, and those on the axis of a meridian plane."""
    mesh = user.mesh
    if mesh.dimension < 2 or (isinstance(mesh, Lattice) and len(mesh) > _LARGE):
        return np.empty(0, np.int64)
    area, middles = mesh.topology.boundary_geometry
    counted = _faces_beside(mesh, across) & ((area**2).sum(axis=1) > 0)
    if user.is_meridian:
        r = np.abs(middles[:, 1 if user.axisymmetric == "x" else 0])
        counted &= r > _ON_AXIS * r.max(initial=0.0)
    if isinstance(mesh, Lattice):
        for a in mesh.active:
            if mesh.axes[a].period is not None:
                counted &= np.abs(area[:, a]) <= _ACROSS * np.sqrt((area**2).sum(axis=1))
    rest = [patch.faces for patch in user.boundary if not patch.velocity.any()]
    if rest:
        counted &= np.isin(np.arange(len(counted)), np.concatenate(rest))
    return np.flatnonzero(counted)


@dataclass(frozen=True)
class Tried:
    """Result of one scheme: its error for the waves, and in the layers over the rms |L| there (NaN without any); the
    estimate of the error for the waves and its ratio to the true one, the largest error for a linear flow, and the
    places whose fits have a lower order than asked for."""

    name: str
    scheme: Scheme
    deviation: ErrorNorms
    layer: float
    estimated: float
    effectivity: float
    linear: float
    lowered: IntArray


@dataclass(frozen=True, eq=False)
class Trial:
    """All schemes for the gradient of a manufactured flow ``at`` its points or cells: those that were ``tried``, those
    ``left_out`` because they would have begun after the ``deadline``, and why others were ``refused``."""

    made: Manufactured
    at: str
    deadline: float = np.inf
    left_out: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    _finer: dict[Scheme, FloatArray] = field(default_factory=dict)

    @cached_property
    def waves(self) -> Flow:
        """The smooth flow."""
        return self.made.flow(self.made.waves)

    @cached_property
    def layer(self) -> tuple[Flow, IntArray, FloatArray] | None:
        """The flow with layers on the walls, those of the chosen places that lie in a layer, and L there."""
        layer, where = self.made.layer, self.places[self.chosen]
        if layer is None:
            return None
        near = np.flatnonzero(layer.reaches(where))
        return (self.made.flow(layer), near, layer.gradient(where[near])) if len(near) else None

    @cached_property
    def places(self) -> FloatArray:
        """All points, or the centroids of all cells."""
        return self.made.user.mesh.places(self.at)

    @cached_property
    def usable(self) -> IntArray:
        """Where a gradient should be: cells of full dimension with a volume, points of such cells."""
        mesh = self.made.user.mesh
        usable = np.isfinite(self.places).all(axis=1)
        proper = mesh.is_full & (mesh.measures > 0) if mesh.dimension else np.ones(len(mesh), bool)
        if self.at == "cells":
            usable &= proper
        elif mesh.dimension:
            used = mesh.cells.connectivity[np.repeat(proper, np.diff(mesh.cells.offsets))]
            usable &= np.bincount(used, minlength=mesh.point_count) > 0
        return np.flatnonzero(usable)

    @cached_property
    def chosen(self) -> IntArray:
        """The places that are looked at."""
        usable = self.usable
        return usable if len(usable) <= MOST else np.sort(np.random.default_rng(0).choice(usable, MOST, False))

    @cached_property
    def auto(self) -> Scheme:
        """The scheme that ``auto`` takes here."""
        return choose_scheme(self.waves, self.at)[0]

    @cached_property
    def schemes(self) -> dict[str, Scheme]:
        """Forms of the registered schemes that fit the data, by name; the one that ``auto`` takes is among them."""
        flow, found = self.waves, dict[str, Scheme]()
        plain = self.at == flow.location and flow.axisymmetric in (None, "none")
        on_lattice = plain and lattice_operator(flow, 2) is not None
        for cls in SCHEMES.values():
            if cls.differentiates and cls.location in (None, flow.location):
                found |= cls().variants(flow, on_lattice)
        return found if self.auto in found.values() else {**found, "auto": self.auto}

    @cached_property
    def tried(self) -> list[Tried]:
        """Results of the schemes, as far as the time allows."""
        results = []
        for name, scheme in self.schemes.items():
            if time.perf_counter() > self.deadline:
                self.left_out.append(name)
                continue
            try:
                results.append(self._tried(name, scheme))
            except FlowgradError as error:
                self.refused.append(f"{name}: {error}")
        return results

    def _tried(self, name: str, scheme: Scheme) -> Tried:
        made, waves, where = self.made, self.waves, self.places[self.chosen]
        gradients = self._prepared(scheme)
        found = gradients(waves)
        # On a curved surface schemes see the projection on its tangent plane: the gradient of the position.
        position = replace(waves, velocity=waves.mesh.places(waves.location))
        seen = gradients(position).L if made.curved else np.eye(3)
        boundary = at_boundary(waves.mesh, self.at, made.across)[self.chosen]
        deviation = ErrorNorms.of(found.L, made.waves.gradient(where) @ seen, boundary)
        off = np.abs(gradients(made.flow(made.linear)).L - made.linear.gradient(where) @ seen)
        linear = float(np.nanmax(off, initial=0.0) / np.abs(made.linear.gradient(np.zeros((1, 3)))).max())
        finer = scheme.finer()
        if finer not in self._finer:
            self._finer[finer] = self._prepared(finer)(waves).L
        estimated = ErrorNorms.of(found.L, self._finer[finer], np.zeros(len(found.L), bool)).overall
        effectivity = estimated / deviation.overall if deviation.overall else np.nan
        order = np.zeros(len(found.L)) if found.order is None else found.order
        lowered = self.chosen[(order > 0) & (order < scheme.order)]
        layer = np.nan
        if self.layer is not None:
            flow, near, exact = self.layer
            layer = ErrorNorms.of(gradients(flow).L[near], exact, np.zeros(len(near), bool)).overall
        return Tried(name, scheme, deviation, layer, estimated, effectivity, linear, lowered)

    def _prepared(self, scheme: Scheme) -> Callable[[Flow], Gradients]:
        """The scheme prepared for gradients at the chosen places alone."""
        operator, chosen = prepare(scheme, self.waves, self.at), self.chosen
        if not isinstance(operator, PolynomialFits):
            return lambda flow: Gradients(operator.gradients(flow).L[chosen])
        some = replace(operator.fits, targets=operator.fits.targets[chosen])
        return partial(replace(operator, places="positions", fits=some).gradients, keep=True)

    @property
    def tolerance(self) -> float:
        """The largest error of a linear flow that is rounding."""
        made, mesh = self.made, self.made.user.mesh
        sizes = mesh.measures[mesh.is_full & (mesh.measures > 0)] if len(mesh) else np.ones(0)
        smallest = float(sizes.min(initial=np.inf)) ** (1 / max(mesh.dimension, 1))
        return max(_EXACT, _ROUNDING * made.extent / min(smallest, made.spacing))


def _trials(made: Manufactured, deadline: float = np.inf) -> Iterator[Trial]:
    """Where the velocity is, and then at the other place."""
    user = made.user
    for at in sorted(("points", "cells"), key=lambda at: at != user.location):
        if at == user.location or user.mesh.dimension:
            yield Trial(made, at, deadline)


def _head(made: Manufactured) -> Iterator[tuple[str, bool]]:
    user = made.user
    kinds = ", ".join(f"{count} {name}" for name, count in user.mesh.type_counts().items()) or "no cells"
    yield f"{user.name}: {user.mesh.point_count} points, {kinds}; velocity at {user.location}", True
    waves = f"{made.wavelength:.3g}, {made.wavelength / made.spacing:.0f} times the spacing of the {user.location}"
    yield f"put on it: a smooth flow with waves of {waves}", True
    if made.layer is not None:
        thinnest, thickest = min(made.layer.thickness), max(made.layer.thickness)
        thick = f"{thinnest:.3g}" if thickest < 1.1 * thinnest else f"{thinnest:.3g} to {thickest:.3g}"
        yield f"and one with layers on the walls, {thick} thick, four times as much as the first cells", True


def _table(trial: Trial, coarser: Trial | None = None) -> Iterator[tuple[str, bool]]:
    """The schemes, one a line; beside a ``coarser`` trial with the order of convergence, which then counts too."""
    user = trial.made.user
    yield "", True
    yield f"gradient at {trial.at}, from values at {user.location}: errors over the rms |L|", True
    if len(trial.chosen) < len(trial.usable):
        yield f"  (at {len(trial.chosen)} of {len(trial.usable)} {trial.at}, chosen at random)", True
    if not len(user.mesh):
        yield "  (points without cells do not tell which lie at a boundary)", True
    columns = f"{'inside':<9}{'boundary':<10}{'layer':<9}{'largest':<9}{'estimated':<11}{'est./true':<11}"
    yield f"  {'':<18}{columns}{'' if coarser is None else 'orders, due     '}linear flow", True
    for number, each in enumerate(trial.tried):
        d, passed = each.deviation, each.linear <= trial.tolerance
        values = (d.interior, d.boundary, each.layer, d.largest, each.estimated)
        a, b, c, e, f = ("-" if np.isnan(value) else short(value) for value in values)
        line = f"  {each.name:<18}{a:<9}{b:<10}{c:<9}{e:<9}{f:<11}{each.effectivity:<11.2f}"
        if coarser is not None:
            refinement = (len(user.mesh) / len(coarser.made.user.mesh)) ** (1 / user.mesh.dimension)
            text, as_due = _orders(coarser.tried[number], each, refinement)
            line, passed = line + text, passed and as_due
        line += "curved" if trial.made.curved else f"{each.linear:.0e} {'ok' if passed else 'FAIL'}"
        yield line + ("  <- auto" if each.scheme == trial.auto else ""), passed
    if trial.left_out:
        yield f"  left out, to be done in time: {', '.join(trial.left_out)}", True
    yield from ((f"  not here: {reason}", True) for reason in trial.refused)
    if trial.tried:
        yield from ((f"  {line}", True) for line in _advice(trial))


def _orders(coarse: Tried, fine: Tried, refinement: float) -> tuple[str, bool]:
    """Orders of convergence inside and at the boundary beside the one due, and whether they and the estimate of the
    error are as they should be; errors that are rounding have reached any."""
    pairs = ((getattr(each.deviation, part) for each in (coarse, fine)) for part in ("interior", "boundary"))
    inside, edge = (np.inf if b <= _FLOOR else np.log(a / b) / np.log(refinement) for a, b in pairs)
    due = fine.scheme.order
    honest = fine.deviation.overall <= _FLOOR or _HONEST[0] <= fine.effectivity <= _HONEST[1]
    return f"{inside:<6.2f}{edge:<6.2f}{due:<4}", honest and min(inside, edge) >= due - SLACK


def short(value: float) -> str:
    """Two digits and the exponent without its zero."""
    return f"{value:.1e}".replace("e-0", "e-").replace("e+0", "e+")


def _advice(trial: Trial) -> Iterator[str]:
    """The scheme with the least error for waves and layers together, those that are better for one of them, where it is
    worst, and how the one that is taken by itself compares."""
    waves = {each.name: _known(each.deviation.overall) for each in trial.tried}
    layers = {each.name: 0.0 if trial.layer is None else _known(each.layer) for each in trial.tried}
    best = min(trial.tried, key=lambda each: np.hypot(waves[each.name], layers[each.name]))
    yield f"best {'of these' if trial.left_out else 'here'}: --scheme '{best.scheme}'"
    for errors, where in ((waves, "for the waves alone"), (layers, "in the layers alone")):
        name = min(errors, key=lambda each: errors[each])
        if errors[name] < errors[best.name]:
            yield f"{where} {name} is better: its error is {errors[name] / errors[best.name]:.2g} times as large"
    worst, ratio = trial.chosen[best.deviation.worst], best.deviation.largest / best.deviation.overall
    yield f"its largest error, {ratio:.0f} times its mean, is at {trial.at[:-1]} {worst} {_at(trial.places[worst])}"
    taken = next((each for each in trial.tried if each.scheme == trial.auto), None)
    if taken is best:
        yield "auto takes it"
    elif taken is not None:
        text = f"{waves[taken.name] / waves[best.name]:.3g}"
        if trial.layer is not None:
            text += f" times as large and in the layers {layers[taken.name] / layers[best.name]:.3g}"
        yield f"auto takes {taken.scheme}, whose error is {text} times as large"


def _known(error: float) -> float:
    return max(float(np.nan_to_num(error, nan=np.inf)), _FLOOR)


def _trouble(trials: list[Trial]) -> list[str]:
    """Cells and points that deserve a look, under a title."""
    mesh, found = trials[0].made.user.mesh, []
    if len(mesh):
        unused = np.bincount(mesh.cells.connectivity, minlength=mesh.point_count) == 0
        flat = mesh.is_full & ~(mesh.measures > 0)
        for what, mask, where in (
            ("cells inverted (negative volume)", inverted_cells(mesh), mesh.centroids),
            ("cells without volume, which have no gradient", flat, mesh.centroids),
            ("points in no cell", unused, mesh.points),
        ):
            if mask.any():
                found.append(_named(what, np.flatnonzero(mask), len(mask), where))
    for trial in trials:
        total, at = len(trial.chosen), trial.at
        for each in trial.tried:
            if len(each.lowered):
                what = f"{at} have too few samples around for {each.name}"
                found.append(_named(what, each.lowered, total, trial.places))
            if each.deviation.missing:
                found.append(f"{each.deviation.missing} of {total} {at} have no gradient with {each.name}")
    return ["", "trouble spots" if found else "trouble spots: none", *(f"  {line}" for line in found)]


def _named(what: str, numbers: IntArray, total: int, where: FloatArray) -> str:
    first = ", ".join(f"{n} {_at(where[n])}" for n in numbers[:_NAMED])
    return f"{len(numbers)} of {total} {what}: {first}{', …' if len(numbers) > _NAMED else ''}"


def _at(position: FloatArray) -> str:
    return "(" + ", ".join(f"{x:.4g}" for x in position) + ")"
