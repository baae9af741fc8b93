"""Sampling error of a series' statistics: against many series, against closed forms, and without the noise's part."""

import dataclasses

import numpy as np
import pytest

from flowgrad import Flow, Series, series_statistics, turbulent_dissipation, velocity_gradients
from flowgrad.errors import OptionError
from tests import meshes

MESH = meshes.SOLIDS["tetra"]


def process(steps, rho, seed, places):
    """Autoregressive velocities (steps, places, 3) of variance 1."""
    rng = np.random.default_rng(seed)
    noise = rng.standard_normal((steps, places, 3))
    values = noise.copy()
    for k in range(1, steps):
        values[k] = rho * values[k - 1] + np.sqrt(1 - rho**2) * noise[k]
    return values


def statistics(values, **fields):
    return series_statistics(Series.from_arrays(MESH, np.arange(len(values)), values, **fields))


@pytest.mark.parametrize(("rho", "factor"), [(0.0, 1), (0.5, 3), (0.8, 9)])
def test_independent_steps_are_those_of_the_correlation(rho, factor):
    """g = (1 + ρ)/(1 − ρ)."""
    found = statistics(process(1024, rho, 1, len(MESH.points)))
    assert found.independent() == pytest.approx(1024 / factor, rel=0.12)
    assert any("resemble" in note for note in found.notes) == (rho > 0)


@pytest.mark.parametrize("rho", [0.0, 0.6])
def test_standard_errors_are_those_of_many_series(rho):
    places = len(MESH.points)
    series = [statistics(process(256, rho, seed, places)) for seed in range(40)]
    apart = np.stack([each.mean("velocity") for each in series]).std()
    told = np.sqrt(np.mean([each.standard_error("velocity") ** 2 for each in series]))
    assert told == pytest.approx(apart, rel=0.1)
    stresses = np.stack([each.reynolds_stress for each in series])
    for i, j in ((0, 0), (0, 1)):
        # Squares of correlated values are correlated by ρ², so that theirs is the larger number of independent ones.
        factor = np.sqrt((1 + rho**2) / (1 - rho**2) * (1 - rho) / (1 + rho))
        told = np.sqrt(np.mean([each.reynolds_stress_error[:, i, j] ** 2 for each in series]))
        assert factor * told == pytest.approx(stresses[..., i, j].std(axis=0).mean(), rel=0.15)


def test_few_steps_count_as_they_are():
    found = statistics(process(7, 0.9, 2, len(MESH.points)))
    assert found.independent() == 7
    alone = statistics(process(1, 0.0, 2, len(MESH.points)))
    assert np.isnan(alone.standard_error("velocity")).all()
    assert "velocity_standard_error" not in alone.arrays()


def test_parts_tell_of_the_correlation_as_the_whole_does():
    values = process(512, 0.5, 3, len(MESH.points))
    parts = [statistics(each) for each in np.split(values, 4)]
    merged = parts[0].merge(parts[1]).merge(parts[2]).merge(parts[3])
    assert merged.independent() == pytest.approx(statistics(values).independent(), rel=0.15)


@pytest.mark.parametrize("kind", ["number", "each", "component"])
def test_reynolds_stresses_without_the_part_of_the_noise(kind):
    places = len(MESH.points)
    rng = np.random.default_rng(4)
    sigma = np.broadcast_to([0.3, 0.6, 0.9], (places, 3)) if kind == "component" else np.full((places, 3), 0.5)
    values = process(400, 0, 5, places) + sigma * rng.standard_normal((400, places, 3))
    noise = {"number": 0.5, "each": sigma[:, 0], "component": sigma}[kind]
    found = statistics(values, noise=noise)
    np.testing.assert_allclose(found.noise_variance("velocity"), sigma**2, rtol=1e-12)
    np.testing.assert_allclose(found.turbulent_reynolds_stress.mean(axis=0), np.eye(3), atol=0.05)
    assert any("of the fluctuations' energy" in note for note in found.notes)
    assert "turbulent_reynolds_stress" in found.arrays()
    parts = statistics(values[:100], noise=noise).merge(statistics(values[100:], noise=noise))
    np.testing.assert_allclose(parts.turbulent_reynolds_stress, found.turbulent_reynolds_stress, rtol=1e-9, atol=1e-12)
    assert not statistics(values[:100], noise=noise).merge(statistics(values[100:])).noise


def planes(count, seed, noise=0.0, **about):
    """Isotropic random waves of one wave number in a plane of space: <u_x²> is 1/15 of <2D:D>."""
    rng = np.random.default_rng(seed)
    x = np.linspace(0, 1, 12)
    X = np.stack(np.meshgrid(x, x, [0.0], indexing="ij"), axis=-1)
    flows = []
    for _ in range(count):
        k = rng.standard_normal((40, 3))
        k *= 2 / np.linalg.norm(k, axis=1)[:, None]
        a = np.cross(k, rng.standard_normal((40, 3)))
        v = np.einsum("...w,wi->...i", np.cos(X @ k.T + rng.uniform(0, 2 * np.pi, 40)), a)
        v[..., :2] += noise * rng.standard_normal(v[..., :2].shape)
        velocity = v[:, :, 0, :2]
        flows.append(Flow.on_lattice((x, x), velocity, noise=noise or None, **about))
    return flows


def test_closures_agree_on_isotropic_turbulence():
    flows = planes(300, 6, out_of_plane="incompressible")
    found = series_statistics(velocity_gradients(flows, "finite-difference(order=4)"), ("D",))
    planar, isotropic = (turbulent_dissipation(found, 1.0, each).mean() for each in ("planar", "isotropic"))
    assert planar == pytest.approx(isotropic, rel=0.05)
    # Forty waves a sin(k·x + φ), a ⟂ k: ⟨2D:D⟩ = ⟨|a|²⟩|k|²/2 each, with ⟨|a|²⟩ = 2|k|² and |k| = 2.
    assert planar == pytest.approx(40 * 8 * 4 / 2, rel=0.1)


def test_dissipation_without_the_part_of_the_noise():
    exact = planes(200, 7, out_of_plane="incompressible")
    noisy = planes(200, 7, noise=0.3, out_of_plane="incompressible")
    scheme = "finite-difference(order=2)"
    true = turbulent_dissipation(series_statistics(velocity_gradients(exact, scheme), ("D",)), 1.0, "planar").mean()
    found = series_statistics(velocity_gradients(noisy, scheme), ("D",))
    assert turbulent_dissipation(found, 1.0, "planar").mean() == pytest.approx(true, rel=0.05)
    assert turbulent_dissipation(dataclasses.replace(found, noise={}), 1.0, "planar").mean() > 1.3 * true


def test_what_is_not_known_is_said():
    flows = planes(3, 8)
    found = series_statistics(velocity_gradients(flows), ("D",))
    with pytest.raises(OptionError, match="closure='taylor' is unknown: choose full, planar, isotropic"):
        turbulent_dissipation(found, 1.0, "taylor")
    with pytest.raises(OptionError, match="dissipation needs statistics of D: there are those of velocity"):
        turbulent_dissipation(series_statistics(flows), 1.0)
    unknown = planes(3, 8, out_of_plane="unknown")
    found = series_statistics(velocity_gradients(unknown), ("D",))
    with pytest.raises(OptionError, match="takes components of D that are not known"):
        turbulent_dissipation(found, 1.0, "planar")
    assert np.isfinite(turbulent_dissipation(found, 1.0, "isotropic")).all()
