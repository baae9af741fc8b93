"""Fields whose viscosity is exact and whose fluid is known: what is named, what is left open, what is no law."""

import numpy as np
import pytest

from flowgrad import Flow, OptionError, Verdict, read, separate, velocity_gradient
from flowgrad.gradient import Stored
from flowgrad.mesh import Lattice
from flowgrad.rheology.models import Carreau, Cross, PowerLaw, Sisko
from flowgrad.separation.inputs import candidates, eddy_viscosities, is_effective

CLASSES = {
    Verdict.SHEAR_THINNING,
    Verdict.SHEAR_THICKENING,
    Verdict.YIELD_STRESS,
    Verdict.VISCOELASTIC,
    Verdict.MIXED,
    Verdict.NEWTONIAN,
}
LAWS = (
    PowerLaw(1.0, 1 / 3),
    PowerLaw(1.0, 1 / 4),
    PowerLaw(1.0, 1 / 5),
    Carreau(10.0, 0.05, 20.0, 0.3),
    Cross(10.0, 0.05, 20.0, 0.7),
    Sisko(0.05, 1.0, 0.25),
)


def channel(law, cells, location):
    """A plane channel |y| ≤ 1 with τ = |y| and the exact η of the law in every sample; the speed by quadrature."""
    fine = np.linspace(0, 1, 40001)
    low, high = np.full_like(fine, -60.0), np.full_like(fine, 60.0)
    for _ in range(80):
        middle = (low + high) / 2
        above = law.stress(np.exp(middle)) > fine
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    rates = np.append(0.0, np.exp(low[1:]))
    steps = np.cumsum((rates[1:] + rates[:-1]) / 2) * fine[1]
    mesh = Lattice.rectilinear(np.linspace(0, 4, 9), np.linspace(-1, 1, cells + 1), 0.0)
    sites = mesh.points if location == "points" else mesh.centroids
    y = np.abs(sites[:, 1])
    speed = np.interp(y, fine, steps[-1] - np.append(0.0, steps))
    rate = np.interp(y, fine, rates)
    velocity = np.stack([speed, 0 * speed, 0 * speed], axis=1)
    return Flow(mesh, velocity, location), law.viscosity(np.maximum(rate, 1e-9 * rate.max()))


@pytest.mark.parametrize("location", ["points", "cells"])
def test_exact_channels_are_never_called_a_yield_stress(location):
    """Near the middle differences make the rate too large: (y+h)^4 for y^4. 24 channels, at least 18 named."""
    found = []
    for law in LAWS:
        for cells in (20, 40, 60, 80):
            flow, eta = channel(law, cells, location)
            found.append(separate(velocity_gradient(flow), viscosity=eta))
    verdicts = [each.verdict for each in found]
    assert all(each.newtonian == "no" for each in found)
    assert set(verdicts) <= {Verdict.SHEAR_THINNING, Verdict.NON_NEWTONIAN}
    assert verdicts.count(Verdict.SHEAR_THINNING) >= 18
    for each in found:
        if each.verdict is Verdict.NON_NEWTONIAN:
            assert set(each.classes) == {Verdict.SHEAR_THINNING, Verdict.YIELD_STRESS}
            assert "class stays open" in each.sentence


def square(velocity, count=81):
    """Velocities u(y) or u(x, y) on a unit square."""
    side = np.linspace(0, 1, count)
    mesh = Lattice.rectilinear(side, side, 0.0)
    x, y = mesh.points[:, 0], mesh.points[:, 1]
    u = velocity(x, y)
    return velocity_gradient(Flow(mesh, np.stack([u, 0 * u, 0 * u], axis=1), "points")), x, y


def shear_stress(size):
    stress = np.zeros((len(size), 3, 3))
    stress[:, 0, 1] = stress[:, 1, 0] = size
    return stress


def test_a_plastic_stress_is_no_newtonian_one():
    gradient, x, _ = square(lambda x, y: np.exp(2 * y))
    found = separate(gradient, stress=shear_stress(1 + 0.02 * x))
    assert (found.newtonian, found.verdict) == ("not known", Verdict.NOT_DECIDED)
    assert "the stress is the same" in found.sentence


def test_a_heated_couette_flow_has_one_stress_at_all_rates():
    """η = e^(−3y) and τ = 1: the fluid may be Newtonian wherever it is."""
    gradient, _, y = square(lambda x, y: np.exp(3 * y) / 3)
    eta = np.exp(-3 * y)
    for given in ({"viscosity": eta}, {"stress": shear_stress(np.ones(len(y)))}):
        found = separate(gradient, **given)
        assert found.newtonian == "not known"
        assert found.verdict not in CLASSES


@pytest.mark.parametrize(
    ("velocity", "viscosity", "factor"),
    [
        (lambda x, y: np.exp(2 * y), lambda x, y: (1 + 0.3 * np.sin(7 * x)) / (2 * np.exp(2 * y)), 1.3 / 0.7),
        # Two liquids side by side, a heated wall at x = 1, layers of which the middle one is thin.
        (lambda x, y: y**2 + 0.2 * y, lambda x, y: np.where(x < 0.5, 1.0, 3.0), 3.0),
        (lambda x, y: y**2 + 0.2 * y, lambda x, y: np.exp(-2 * x), np.exp(2.0)),
        (lambda x, y: 4 * y * (1 - y), lambda x, y: np.where(y < 0.5, 1.0, 0.2), 5.0),
        # Granular friction: τ = 0.4 p under a weight that grows along x.
        (lambda x, y: y**2 + 0.2 * y, lambda x, y: 0.4 * (1 + x) / (2 * y + 0.2), 2.0),
        # A power law whose consistency falls along x.
        (lambda x, y: y**2 + 0.2 * y, lambda x, y: np.exp(-x) * (2 * y + 0.2) ** -0.5, np.e),
    ],
    ids=["sine", "side by side", "heated", "layers", "grains", "power law"],
)
@pytest.mark.parametrize("of", ["viscosity", "stress"])
def test_a_viscosity_that_differs_from_place_to_place_is_no_function_of_the_rate(velocity, viscosity, factor, of):
    gradient, x, y = square(velocity)
    eta = viscosity(x, y)
    given = {"viscosity": eta} if of == "viscosity" else {"stress": 2 * eta[:, None, None] * gradient.D}
    found = separate(gradient, **given)
    assert (found.newtonian, found.verdict) == ("not known", Verdict.NOT_A_FUNCTION_OF_RATE)
    assert 0.5 * factor < found.evidence["place_factor"] < 1.05 * factor
    assert "place to place" in found.sentence
    assert found.fit is None
    departure = found.fields()["viscosity_departure"]
    assert np.nanmax(departure) / np.nanmin(departure) > 0.9 * factor


@pytest.mark.parametrize("of", ["viscosity", "stress"])
@pytest.mark.parametrize("exponent", [1.2, 1.5, 3.0])
def test_a_stress_that_falls_with_the_rate_is_told_as_such(exponent, of):
    """τ = γ̇^(1−a): the same wherever the rate is the same, so nothing may be said of places."""
    gradient, _, y = square(lambda x, y: y**2 + 0.2 * y)
    eta = (2 * y + 0.2) ** -exponent
    given = {"viscosity": eta} if of == "viscosity" else {"stress": 2 * eta[:, None, None] * gradient.D}
    found = separate(gradient, **given)
    assert (found.newtonian, found.verdict) == ("not known", Verdict.NOT_A_FUNCTION_OF_RATE)
    assert "place_factor" not in found.evidence
    factor, span = found.evidence["stress_fall_factor"], found.evidence["rate_max"] / found.evidence["rate_min"]
    # For certain: less the errors of the rates at both ends, to the power of the exponent.
    assert 0.6 * span ** (exponent - 1) < factor < span ** (exponent - 1)
    assert f"the stress is lower: it falls by a factor of {factor:.3g} at least" in found.sentence
    assert "place to place" not in found.sentence


def test_scatter_without_a_place_is_no_heterogeneity():
    rng = np.random.default_rng(3)
    gradient, _, y = square(lambda x, y: y**2 + 0.2 * y)
    for law, verdict in ((lambda rate: 1.0, Verdict.NEWTONIAN), (lambda rate: rate**-0.5, Verdict.SHEAR_THINNING)):
        eta = law(2 * y + 0.2) * np.exp(0.2 * rng.standard_normal(len(y)))
        assert separate(gradient, viscosity=eta).verdict is verdict


def test_a_whole_stress_is_taken_for_its_deviator():
    gradient, x, y = square(lambda x, y: y**2 + 0.2 * y)
    extra = 2 * 0.3 * gradient.D
    whole = extra - (50 + x - y)[:, None, None] * np.eye(3)
    found, plain = separate(gradient, stress=whole), separate(gradient, stress=extra)
    assert found.verdict is plain.verdict is Verdict.NEWTONIAN
    assert found.evidence["eta_newtonian"] == pytest.approx(0.3)
    np.testing.assert_allclose(found.unexplained_part, 0, atol=1e-12)
    assert any("isotropic part" in note and "deviator" in note for note in found.notes)
    assert not plain.notes


@pytest.mark.parametrize("size", [0.3, 5.0, 1e5])
@pytest.mark.parametrize("location", ["points", "cells"])
def test_a_whole_stress_without_its_part_across_a_plane_is_taken_for_its_deviator(location, size):
    """As solvers of two dimensions write it; an upper-convected Maxwell fluid's is kept, however elastic."""
    side = np.linspace(0, 1, 41)
    mesh = Lattice.rectilinear(side, side, 0.0)
    y = (mesh.points if location == "points" else mesh.centroids)[:, 1]
    gradient = velocity_gradient(Flow(mesh, np.stack([y**2 + 0.2 * y, 0 * y, 0 * y], axis=1), location))
    extra = 2 * 0.3 * gradient.D
    found = separate(gradient, stress=extra - (size + y)[:, None, None] * np.diag([1, 1, 0]))
    assert found.verdict is Verdict.NEWTONIAN
    assert found.evidence["eta_newtonian"] == pytest.approx(0.3)
    assert any("deviator in the plane" in note for note in found.notes)
    elastic = extra.copy()
    elastic[:, 0, 0] = 2 * 0.3 * 4.0 * gradient["shear_rate"] ** 2
    found = separate(gradient, stress=elastic)
    assert found.verdict is Verdict.VISCOELASTIC
    assert found.evidence["relaxation_time"] == pytest.approx(4.0)


def test_a_compressed_fluid_has_the_viscosity_of_the_deviators():
    """τ = 2η dev D and p tr D ≠ 0 over v = (x + 3y², −0.2 y, 0)."""
    side = np.linspace(0, 1, 41)
    mesh = Lattice.rectilinear(side, side, 0.0)
    x, y = mesh.points[:, 0], mesh.points[:, 1]
    gradient = velocity_gradient(Flow(mesh, np.stack([x + 3 * y**2, -0.2 * y, 0 * y], axis=1), "points"))
    dilatation = np.trace(gradient.D, axis1=1, axis2=2)[:, None, None] / 3 * np.eye(3)
    stress = 2 * 0.7 * (gradient.D - dilatation) - 3 * np.eye(3)
    found = separate(gradient, stress=stress)
    np.testing.assert_allclose(found.eta, 0.7, rtol=1e-9)
    assert found.verdict is Verdict.NEWTONIAN
    assert any("volumes change" in note for note in found.notes)


# As OpenFOAM, SU2, Fluent, CFX, STAR-CCM+, Code_Saturne, COMSOL, CGNS files and ParaView's calculators name them.
EDDY = """nut; mut; nutMean; nut_0; turbulenceProperties:nut; nuSgsMean; nuTilda; VIS_TUR; mu_t; Eddy_Viscosity;
viscosity-turb; nut.water; turbulenceProperties.gas:mut; mean_nut; <nut>; Eddy Viscosity [Pa s]; sgs-viscosity;
subgrid-turb-viscosity; Turbulent Viscosity (Pa-s); TurbulentViscosityRatio; SubgridScaleTurbulentViscosity;
turbulent_viscosity; spf.muT; ViscosityEddyKinematic; Kinematic Eddy Viscosity; nuArtificial"""
EFFECTIVE = """nuEff; muEff; Effective_Viscosity; turbulenceProperties:nuEff; viscosity-eff; mu_eff; nuEff.water;
nuEffMean; Effective Viscosity (Pa s); subgrid-eff-viscosity; EffectiveDynamicViscosity; spf.mu_eff; total_viscosity"""
OF_FLUIDS = """nu; mu; eta; viscosity; nu_ofU; nuM; nu.water; Laminar_Viscosity; dynamic_viscosity; apparentViscosity;
Molecular Viscosity [Pa s]; viscosity-lam; generalizedNewtonian:nu; mu(T); ViscosityMolecularKinematic;
Kinematic Viscosity"""


def test_viscosities_of_eddies_are_known_by_their_names():
    eddies, effective, of_fluids = (" ".join(each.split()).split("; ") for each in (EDDY, EFFECTIVE, OF_FLUIDS))
    names = eddies + effective
    assert eddy_viscosities([*names, *of_fluids]) == names
    assert [name for name in names if is_effective(name)] == effective
    assert candidates({name: np.zeros(3) for name in (*names, "nu")}) == ["--viscosity=nu"]
    gradient, _, y = square(lambda x, y: y**2)
    flow = Flow(gradient.flow.mesh, gradient.flow.velocity, "points", point_data=dict.fromkeys(names, y))
    for name in names:
        with pytest.raises(OptionError, match="property of the flow"):
            separate(velocity_gradient(flow), viscosity=name)


def with_scalars(**data):
    gradient, x, y = square(lambda x, y: y**2 + 0.2 * y, 21)
    flow = gradient.flow
    known = {name: values(gradient, x, y) for name, values in data.items()}
    return velocity_gradient(Flow(flow.mesh, flow.velocity, "points", point_data=known))


@pytest.mark.parametrize(
    "text", ["txx,tyy,tzz,txy,tyz,txz", "txx,txy,txz,tyy,tyz,tzz", "txx,tyy,tzz,txy", "txx,tyy,txy", "-nxx,nyy,nxy"]
)
def test_a_stress_may_be_named_by_its_components(text):
    parts = {
        f"t{a}{b}": (lambda g, x, y, i=i, j=j: 0.6 * g.D[:, i, j])
        for i, a in enumerate("xyz")
        for j, b in enumerate("xyz")
    }
    negative = {f"n{k[1:]}": (lambda g, x, y, f=f: -f(g, x, y)) for k, f in parts.items()}
    gradient = with_scalars(**parts, **negative)
    found = separate(gradient, stress=text)
    np.testing.assert_allclose(found.stress, 0.6 * gradient.D, atol=1e-14)
    assert found.evidence["eta_newtonian"] == pytest.approx(0.3)
    with pytest.raises(OptionError, match="names 2 scalars"):
        separate(gradient, stress="txx,tyy")


def test_components_without_axes_in_their_names_are_in_vtks_order():
    order = ((0, 0), (1, 1), (2, 2), (0, 1), (1, 2), (0, 2))
    parts = {f"s{n}_": (lambda g, x, y, i=i, j=j: 0.6 * g.D[:, i, j]) for n, (i, j) in enumerate(order)}
    gradient = with_scalars(**parts)
    np.testing.assert_allclose(separate(gradient, stress=",".join(parts)).stress, 0.6 * gradient.D, atol=1e-14)


def test_a_density_may_be_a_field():
    gradient = with_scalars(rho=lambda g, x, y: 900 + 200 * x, nu=lambda g, x, y: 0.3 / (900 + 200 * x))
    found = separate(gradient, viscosity="nu", density="rho")
    assert found.verdict is Verdict.NEWTONIAN
    np.testing.assert_allclose(found.eta, 0.3)
    stress = 2 * (0.3 / (900 + 200 * gradient.flow.mesh.points[:, 0]))[:, None, None] * gradient.D
    np.testing.assert_allclose(separate(gradient, stress=stress, density="rho").stress, 0.6 * gradient.D, atol=1e-12)
    with pytest.raises(OptionError, match="density is"):
        separate(gradient, viscosity="nu", density=-1.0)
    with pytest.raises(OptionError, match="law of dynamic values"):
        separate(gradient, viscosity="power-law(K=1, n=0.5)", density="rho")


def test_openfoams_herschel_bulkley_cylinder_is_certainly_not_newtonian(data):
    """ν = min(5, (0.05 + 0.1 γ̇^0.6)/γ̇); scripts/openfoam_cylinder.py makes it."""
    found = separate(velocity_gradient(read(data / "oc_herschelBulkley.vtu")), viscosity="nu")
    assert found.newtonian == "no"
    assert set(found.classes or {found.verdict: 1.0}) <= {Verdict.SHEAR_THINNING, Verdict.YIELD_STRESS}
    assert found.evidence["fall_factor"] > 10
    law = found.fits[0].model
    np.testing.assert_allclose(law.viscosity(found.judged.rate), found.judged.viscosity, rtol=0.02)
    for verdict, weight in found.classes.items():
        assert f"{verdict} ({weight:.3g})" in found.sentence


@pytest.mark.parametrize("names", ["dudx,dudy,dudz,dvdx,dvdy,dvdz,dwdx,dwdy,dwdz", "dudx,dudy,dvdx,dvdy"])
def test_a_gradient_may_be_named_by_its_components(names):
    parts = {
        f"d{a}d{b}": (lambda g, x, y, i=i, j=j: g.L[:, i, j]) for i, a in enumerate("uvw") for j, b in enumerate("xyz")
    }
    gradient = with_scalars(**parts)
    stored = velocity_gradient(gradient.flow, Stored(names))
    np.testing.assert_allclose(stored.L, gradient.L, atol=1e-14)
    with pytest.raises(OptionError, match="fits the velocity's own gradient better"):
        velocity_gradient(gradient.flow, Stored("dudx,dvdx,dudy,dvdy"))
    with pytest.raises(OptionError, match="names 3 scalars"):
        velocity_gradient(gradient.flow, Stored("dudx,dudy,dvdx"))
