"""Rates of change in time: of a series, of functions of the time, and of flows that are declared steady."""

import numpy as np
import pytest

from flowgrad import Flow, Lattice, Mesh, MeshError, OptionError, Series, velocity_gradient, velocity_gradients
from flowgrad.exact import EXACT_FLOWS
from tests import meshes

MESH = meshes.SOLIDS["tetra"]
UNEVEN = np.array([-0.3, 0.0, 0.1, 0.45, 0.5])
RNG = np.random.default_rng(3)
A, B, C = RNG.normal(size=(3, 3, 3))
POINTS = RNG.uniform(-1, 1, (40, 3))


def parabola(t):
    return A + B * t + C * t * t


def linear_in_space(times, of_time=parabola, mesh=MESH):
    return Series.from_arrays(mesh, times, [mesh.points @ of_time(t).T for t in times])


def test_parabolas_in_time_are_exact_at_uneven_steps():
    for found, t in zip(velocity_gradients(linear_in_space(UNEVEN), rates=True), UNEVEN, strict=True):
        rate = B + 2 * t * C
        np.testing.assert_allclose(found["L_rate"], np.broadcast_to(rate, found.L.shape), atol=1e-11)
        np.testing.assert_allclose(found["velocity_rate"], MESH.points @ rate.T, atol=1e-12)
        assert found.flow.time == t


def test_the_order_is_second_at_every_step():
    def error(count):
        times = np.linspace(0, 1, count) + 0.1 * np.linspace(0, 1, count) ** 2
        found = velocity_gradients(linear_in_space(times, lambda t: A * np.sin(3 * t)), rates=True)
        return [
            np.abs(each["velocity_rate"] - 3 * np.cos(3 * t) * MESH.points @ A.T).max()
            for each, t in zip(found, times, strict=True)
        ]

    coarse, fine = error(21), error(41)
    for place in (slice(0, 1), slice(1, -1), slice(-1, None)):
        assert np.log2(max(coarse[place]) / max(fine[place])) > 1.85


def test_against_numpy():
    times = np.cumsum(RNG.uniform(0.5, 2, 6))
    velocities = RNG.normal(size=(6, len(MESH.points), 3))
    found = list(velocity_gradients(Series.from_arrays(MESH, times, velocities), rates=True))
    for name, values in (("velocity_rate", velocities), ("L_rate", np.stack([each.L for each in found]))):
        expected = np.gradient(values, times, axis=0, edge_order=2)
        np.testing.assert_allclose([each[name] for each in found], expected, atol=1e-11 * np.abs(expected).max())


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_another_unit_of_time(scale):
    one = [each["L_rate"] for each in velocity_gradients(linear_in_space(UNEVEN), rates=True)]
    other = velocity_gradients(linear_in_space(UNEVEN * scale, lambda t: parabola(t / scale)), rates=True)
    for a, b in zip(one, other, strict=True):
        np.testing.assert_allclose(b["L_rate"] * scale, a, atol=1e-10)


def test_constant_fields_have_no_rate_at_all():
    for found in velocity_gradients(linear_in_space(UNEVEN, lambda t: A), rates=True):
        assert not found["velocity_rate"].any()
        assert not found["L_rate"].any()


def test_two_steps_are_of_first_order_and_say_so():
    found = list(velocity_gradients(linear_in_space([0.0, 0.5], lambda t: A + B * t), rates=True))
    assert len(found) == 2
    for each in found:
        np.testing.assert_allclose(each["velocity_rate"], MESH.points @ B.T, atol=1e-13)
        assert any("of first order in time, from the steps at 0 and 0.5" in note for note in each.notes)


def test_steps_are_made_as_they_are_needed():
    made = []

    def maker(i):
        def make():
            made.append(i)
            return Flow(MESH, MESH.points * i * i, "points", float(i))

        return make

    steps = velocity_gradients(Series(tuple(maker(i) for i in range(5))), rates=True)
    for i, seen in enumerate([3, 3, 4, 5, 5]):
        np.testing.assert_allclose(next(steps)["velocity_rate"], 2 * i * MESH.points, atol=1e-13)
        assert len(made) == seen
    assert next(steps, None) is None


def test_what_times_must_be():
    def rates_of(*times):
        return list(velocity_gradients([Flow(MESH, MESH.points, "points", t) for t in times], rates=True))

    assert len(rates_of(3.0, 2.0, 1.0)) == 3
    with pytest.raises(OptionError, match=r"one step tells no rates.*steady=True"):
        rates_of(1.0)
    with pytest.raises(OptionError, match=r"steps 1 and 2 both have the time 1: .* its own time"):
        rates_of(0.0, 1.0, 1.0)
    with pytest.raises(OptionError, match=r"steps 3 and 4 turn back from the time 3 to the time 2"):
        rates_of(0.0, 1.0, 2.0, 3.0, 2.0)
    with pytest.raises(OptionError, match=r"step 2 \(flow\) has the time None: give all steps their times"):
        rates_of(0.0, 1.0, None)
    with pytest.raises(OptionError, match=r"step 0 .* has the time nan"):
        rates_of(np.nan, 1.0)


def test_another_mesh_is_refused():
    moved = meshes.SOLIDS["tetra"].points + 1.0
    other = type(MESH)(moved, MESH.cells)
    flows = [Flow(MESH, MESH.points, "points", 0.0), Flow(other, MESH.points, "points", 1.0)]
    with pytest.raises(MeshError, match=r"step 1 is on another mesh.*points have moved"):
        list(velocity_gradients(flows, rates=True))


def test_a_value_that_is_missing_at_a_step_is_counted():
    mesh = Lattice.uniform((5, 5, 5), 0.25)
    velocities = np.stack([mesh.points @ parabola(t).T for t in UNEVEN])
    velocities[1, 62] = np.nan
    found = list(velocity_gradients(Series.from_arrays(mesh, UNEVEN, velocities), rates=True))
    for number, each in enumerate(found):
        missing = np.isnan(each["L_rate"]).any(axis=(1, 2))
        assert np.flatnonzero(missing).tolist() == ([62] if number <= 2 else [])
        noted = any("no ∂L/∂t at 1 of 125 points" in note for note in each.notes)
        assert noted == (number in (0, 2))


@pytest.mark.parametrize("at", ["cells", POINTS[:7] / 4 + 0.5])
def test_rates_where_the_gradient_is(at):
    for found, t in zip(velocity_gradients(linear_in_space(UNEVEN), at=at, rates=True), UNEVEN, strict=True):
        L_rate = found["L_rate"][found.valid]
        assert len(L_rate)
        np.testing.assert_allclose(L_rate, np.broadcast_to(B + 2 * t * C, L_rate.shape), atol=1e-11)
        places = MESH.centroids if isinstance(at, str) else at
        expected = (places @ (B + 2 * t * C).T)[found.valid]
        np.testing.assert_allclose(found["velocity_rate"][found.valid], expected, atol=1e-11)


def test_steady_flows_are_declared():
    flow = Flow(MESH, MESH.points, "points")
    for found in (velocity_gradient(flow, steady=True), *velocity_gradients([flow, flow], steady=True)):
        assert found["velocity_rate"].shape == (len(MESH.points), 3)
        assert found["L_rate"].shape == found.L.shape
        assert not found["L_rate"].any()
        assert found["L_rate"].strides == (0, 0, 0)
    assert "L_rate" not in velocity_gradient(flow).supplied
    with pytest.raises(OptionError, match="exclude each other"):
        velocity_gradients([flow], rates=True, steady=True)
    with pytest.raises(OptionError, match="one step tells no rates"):
        velocity_gradient(flow, rates=True)


def swirl(x, t):
    a, b, c = x[..., 0], x[..., 1], x[..., 2]
    return np.stack([np.sin(a * t) * b, t * t * c + a, np.exp(-t) * a * b * c], axis=-1)


def swirl_rates(x, t):
    a, b, c = x.T
    rate = np.stack([np.cos(a * t) * a * b, 2 * t * c, -np.exp(-t) * a * b * c], axis=-1)
    slopes = np.zeros((len(x), 3, 3))
    slopes[:, 0, 0] = (np.cos(a * t) - a * t * np.sin(a * t)) * b
    slopes[:, 0, 1] = np.cos(a * t) * a
    slopes[:, 1, 2] = 2 * t
    slopes[:, 2] = -np.exp(-t) * np.column_stack([b * c, a * c, a * b])
    return rate, slopes


def test_functions_of_the_time_are_exact():
    found = velocity_gradient(swirl, at=POINTS, time=0.7, rates=True)
    rate, slopes = swirl_rates(POINTS, 0.7)
    np.testing.assert_allclose(found["velocity_rate"], rate, rtol=0, atol=1e-15)
    np.testing.assert_allclose(found["L_rate"], slopes, rtol=0, atol=1e-15)
    assert "L_rate" not in velocity_gradient(swirl, at=POINTS, time=0.7).supplied


@pytest.mark.parametrize("name", ["double-gyre", "taylor-green", "lamb-oseen"])
def test_exact_flows(name):
    flow = EXACT_FLOWS[name]()
    x, t, h = flow.samples(30), 0.4, 1e-3
    found = velocity_gradient(flow, at=x, time=t, rates=True)
    for rate, of in ((found["velocity_rate"], flow.velocity), (found["L_rate"], flow.gradient)):
        near, far = ((of(x, t + k * h) - of(x, t - k * h)) / (2 * k * h) for k in (1, 2))
        np.testing.assert_allclose(rate, (4 * near - far) / 3, atol=1e-10)
        assert np.abs(rate).max() > 0.01


def test_functions_without_a_time_are_steady():
    found = velocity_gradient(lambda x: 2 * x[..., :2], at=POINTS[:, :2])
    assert not found["velocity_rate"].any()
    assert found["L_rate"].shape == (40, 3, 3)
    planar = velocity_gradient(lambda x, t: t * t * x, at=POINTS[:, :2], time=3.0, rates=True)
    np.testing.assert_allclose(planar["L_rate"], np.broadcast_to(np.diag([6.0, 6, 0]), (40, 3, 3)))
    np.testing.assert_allclose(planar["velocity_rate"][:, :2], 6 * POINTS[:, :2])
    for v in (lambda x, t: 2 * x, lambda x, t: np.ones(x.shape)):
        assert not velocity_gradient(v, at=POINTS, time=1.0, rates=True)["L_rate"].any()
    with pytest.raises(OptionError, match=r"rates=True for a function v\(x, t\)"):
        velocity_gradient(swirl, at=POINTS, time=1.0, steady=True)


def test_torch():
    torch = pytest.importorskip("torch")

    def v(x, t):
        a, b, c = x[..., 0], x[..., 1], x[..., 2]
        return torch.stack([torch.sin(a * t) * b, t * t * c + a, torch.exp(-t) * a * b * c], dim=-1)

    _compare(v)


def test_jax():
    jnp = pytest.importorskip("jax.numpy")

    def v(x, t):
        a, b, c = x[..., 0], x[..., 1], x[..., 2]
        return jnp.stack([jnp.sin(a * t) * b, t * t * c + a, jnp.exp(-t) * a * b * c], axis=-1)

    _compare(v)


def _compare(v):
    found = velocity_gradient(v, at=POINTS, time=0.7, rates=True)
    rate, slopes = swirl_rates(POINTS, 0.7)
    np.testing.assert_allclose(found["velocity_rate"], rate, rtol=0, atol=1e-14)
    np.testing.assert_allclose(found["L_rate"], slopes, rtol=0, atol=1e-14)


def test_on_an_oblique_cut_the_rates_have_the_axes_of_the_gradient():
    """v = v0 + t a: ∂v/∂t = a, in the frame of the plane, as the convective acceleration is."""
    upright = Lattice.uniform((7, 6), 0.1)
    turn = np.linalg.qr(np.random.default_rng(3).normal(size=(3, 3)))[0]
    mesh, a = Mesh(upright.points @ turn.T, upright.cells), turn @ [0.3, -0.4, 0.5]
    base = upright.points @ np.array([[1, 2, 0], [3, -0.5, 0], [0.2, 0.3, 0]]).T @ turn.T
    series = Series.from_arrays(mesh, [0, 1, 2.0], [base + t * a for t in range(3)], out_of_plane="incompressible")
    for gradient in velocity_gradients(series, rates=True):
        rate = gradient.supplied["velocity_rate"]
        np.testing.assert_allclose(np.abs(rate[:, 2]), 0.5, atol=1e-12)
        np.testing.assert_allclose((rate**2).sum(axis=1), a @ a, atol=1e-12)
