import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from flowgrad import Cells, Flow, OptionError, VelocityGradient, separate
from flowgrad.rheology.models import (
    Bingham,
    Carreau,
    CarreauYasuda,
    Cross,
    HerschelBulkley,
    Newtonian,
    PowerLaw,
)
from flowgrad.separation import LABELS

LAWS = [
    Newtonian(0.1),
    PowerLaw(2.0, 0.5),
    Cross(0.01, 10.0, 0.4, 3.0),
    Carreau(0.056, 0.00345, 3.313, 0.3568),
    CarreauYasuda(10.0, 0.1, 1.0, 0.3, 0.8),
    Bingham(1.0, 2.0),
    HerschelBulkley(3.0, 2.5, 0.5),
]
RATES = np.geomspace(0.05, 50, 40)
VTK_ORDER = ([0, 1, 2, 0, 1, 0], [0, 1, 2, 1, 2, 2])


def along(direction, rates=RATES):
    """Velocity gradients of one kind of flow at several rates."""
    return VelocityGradient(np.asarray(rates)[:, None, None] * np.array(direction, float))


SHEAR = [[0, 1, 0], [0, 0, 0], [0, 0, 0]]
PLANAR = [[1, 0, 0], [0, -1, 0], [0, 0, 0]]
UNIAXIAL = [[1, 0, 0], [0, -0.5, 0], [0, 0, -0.5]]


def generic(count=300, seed=0):
    return VelocityGradient(np.random.default_rng(seed).standard_normal((count, 3, 3)))


def symmetric(count=300, seed=1):
    A = np.random.default_rng(seed).standard_normal((count, 3, 3))
    return A + np.swapaxes(A, 1, 2)


def dissipating(gradient, seed=1):
    """A stress of no particular kind that does positive work."""
    return symmetric(len(gradient), seed) + 5 * gradient.D


@pytest.mark.parametrize("law", LAWS, ids=str)
@pytest.mark.parametrize(
    ("direction", "factor"), [(SHEAR, 1.0), (PLANAR, 2.0), (UNIAXIAL, np.sqrt(3))], ids=["shear", "planar", "uniaxial"]
)
def test_each_law_in_closed_form(law, direction, factor):
    """|τ| = √(½ τ:τ) = ηγ̇ with γ̇ = the rate, twice, and √3 times it; τ gives η back."""
    separation = separate(along(direction), viscosity=law)
    expected = law.viscosity(factor * RATES)
    size = np.sqrt(0.5 * np.einsum("nij,nij->n", separation.stress, separation.stress))
    np.testing.assert_allclose(size, expected * factor * RATES, rtol=1e-12)
    back = separate(along(direction), stress=separation.stress)
    np.testing.assert_allclose(back.eta, expected, rtol=1e-12)
    assert back.unexplained < 1e-12


def test_textbook_shear_stress():
    """τ12 = ηγ̇, not twice that."""
    assert separate(along(SHEAR, [3.0]), viscosity=0.1).stress[0, 0, 1] == pytest.approx(0.3)


def test_trouton_ratio():
    separation = separate(along(UNIAXIAL, [2.0]), viscosity=0.1)
    assert separation.stress[0, 0, 0] - separation.stress[0, 1, 1] == pytest.approx(3 * 0.1 * 2.0)


def maxwell_in_shear(rate, eta, relaxation):
    stress = np.zeros((len(rate), 3, 3))
    stress[:, 0, 1] = stress[:, 1, 0] = eta * rate
    stress[:, 0, 0] = 2 * eta * relaxation * rate**2
    return stress


def test_upper_convected_maxwell_in_shear():
    """Bird, Armstrong & Hassager 1987, table 7.3-1."""
    separation = separate(along(SHEAR), stress=maxwell_in_shear(RATES, 1.2, 5.0))
    np.testing.assert_allclose(separation.eta, 1.2, rtol=1e-12)
    np.testing.assert_allclose(separation.N1, 2 * 1.2 * 5.0 * RATES**2, rtol=1e-10)
    np.testing.assert_allclose(separation.N2, 0, atol=1e-9)
    assert separation.evidence["relaxation_time"] == pytest.approx(5.0)


def test_second_order_fluid_in_shear():
    """τ = ηA1 + α1 A2 + α2 A1²: N1 = −2α1γ̇², N2 = (2α1 + α2)γ̇²."""
    gradient = along(SHEAR)
    L, first = gradient.L, 2 * gradient.D
    second = first @ L + np.swapaxes(L, 1, 2) @ first
    separation = separate(gradient, stress=1.0 * first - 0.5 * second + 0.8 * first @ first)
    np.testing.assert_allclose(separation.N1, 1.0 * RATES**2, rtol=1e-10)
    np.testing.assert_allclose(separation.N2, -0.2 * RATES**2, rtol=1e-10)
    np.testing.assert_allclose(separation.eta, 1.0, rtol=1e-12)


def test_rotation_changes_no_scalar():
    gradient = generic()
    stress = dissipating(gradient)
    turn = Rotation.random(len(gradient), rng=6).as_matrix()
    back = np.swapaxes(turn, 1, 2)
    plain = separate(gradient, stress=stress)
    turned = separate(VelocityGradient(turn @ gradient.L @ back), stress=turn @ stress @ back)
    for name in ("eta", "N1", "N2"):
        np.testing.assert_allclose(getattr(turned, name), getattr(plain, name), rtol=1e-8, atol=1e-8)
    np.testing.assert_array_equal(turned.label, plain.label)
    assert turned.unexplained == pytest.approx(plain.unexplained)
    assert turned.coherence == pytest.approx(plain.coherence)


def test_the_parts_make_the_stress_again():
    gradient = generic()
    stress = dissipating(gradient)
    separation = separate(gradient, stress=stress)
    total = separation.newtonian_part + separation.generalized_part + separation.unexplained_part
    np.testing.assert_allclose(total, stress, rtol=0, atol=1e-12)
    np.testing.assert_allclose(np.einsum("nij,nij->n", separation.unexplained_part, separation.D), 0, atol=1e-12)


def test_the_generalised_part_does_no_work_in_all():
    """η_N is that constant viscosity which dissipates as much as the fluid does."""
    flow = two_cells(1.0, 3.0)
    gradient = VelocityGradient(np.stack([np.array(SHEAR) * rate for rate in (2.0, 1.0)]), flow, location="cells")
    separation = separate(gradient, viscosity=np.array([1.0, 5.0]))
    assert separation.eta_newtonian == pytest.approx((1 * 1 * 4 + 3 * 5 * 1) / (1 * 4 + 3 * 1))
    work = np.einsum("nij,nij->n", separation.generalized_part, gradient.D)
    assert gradient.weights @ work == pytest.approx(0, abs=1e-12)
    assert separation.shares["thinner"] == pytest.approx(4 / 19)
    assert separation.shares["thicker"] == pytest.approx(15 / 19)


def test_a_fluid_at_rest_has_a_stress_and_no_viscosity():
    gradient = VelocityGradient(np.stack([np.zeros((3, 3)), np.array(SHEAR, float)]))
    stress = np.broadcast_to(np.array([[1.0, 2, 0], [2, 3, 0], [0, 0, 0]]), (2, 3, 3))
    separation = separate(gradient, stress=stress)
    assert np.isnan(separation.eta[0])
    np.testing.assert_allclose(separation.unexplained_part[0], stress[0])
    total = separation.newtonian_part + separation.generalized_part + separation.unexplained_part
    np.testing.assert_allclose(total, stress)
    assert LABELS[separation.label[0]] == "undetermined"


def test_what_is_not_known_is_missing_in_every_field():
    gradient = generic(20)
    L, stress = gradient.L.copy(), dissipating(gradient)
    L[3], stress[5, 0, 0] = np.nan, np.nan
    separation = separate(VelocityGradient(L), stress=stress)
    for name, field in separation.fields().items():
        if name in ("label", "region"):
            assert field[3] == field[5] == 0
            continue
        missing = np.isnan(field.reshape(20, -1)).any(axis=1)
        assert missing[3], name
        assert not missing[[0, 1, 2, 4, 6]].any(), name
    assert np.isnan(separation.eta[5])
    assert separation.curve.excluded["invalid"] == 2
    rest = np.delete(np.arange(20), [3, 5])
    expected = separate(VelocityGradient(gradient.L[rest]), stress=stress[rest]).eta_newtonian
    assert separation.eta_newtonian == pytest.approx(expected)


def test_labels_say_what_each_cell_shows():
    gradient = along(SHEAR, [1.0] * 6 + [1e-9])
    eta = np.array([1.0, 1.04, 0.5, 2.0, 1.0, -0.5, 1.0])
    stress = 2 * eta[:, None, None] * gradient.D
    stress[4, 0, 0] = 1.0
    separation = separate(gradient, stress=stress)
    separation.__dict__["eta_newtonian"] = 1.0
    names = [LABELS[code] for code in separation.label]
    assert names == ["newtonian", "newtonian", "thinner", "thicker", "unexplained", "unexplained", "undetermined"]
    assert separation.label.dtype == np.uint8


def test_the_gradient_knows_the_viscosity_from_here_on():
    gradient = along(SHEAR)
    with pytest.raises(OptionError, match="viscosity"):
        gradient["dissipation"]
    separation = separate(gradient, stress=maxwell_in_shear(RATES, 2.0, 1.0))
    np.testing.assert_allclose(separation.gradient["dissipation"], 2 * RATES**2, rtol=1e-12)


def test_fields_carry_the_names_of_the_files():
    gradient = along(SHEAR)
    always = {"eta", "stress_newtonian", "stress_generalized", "label", "region"}
    assert set(separate(gradient, viscosity=1.0).fields()) == always
    with_stress = separate(gradient, stress=maxwell_in_shear(RATES, 1.0, 1.0)).fields()
    assert set(with_stress) == always | {"N1", "N2", "stress_unexplained"}
    assert {len(field) for field in with_stress.values()} == {len(RATES)}


def test_a_law_that_diverges_at_rest_leaves_no_spike():
    separation = separate(along(SHEAR, [0.0, 1e-30, 1e-3, 1.0]), viscosity=HerschelBulkley(1.0, 1.0, 0.5))
    assert np.isfinite(separation.eta).all()
    assert separation.eta.max() < 1.1e6


def test_density_makes_dynamic_values():
    gradient, stress = along(SHEAR), maxwell_in_shear(RATES, 1e-6, 2.0)
    np.testing.assert_allclose(separate(gradient, stress=stress, density=1000.0).eta, 1e-3)
    np.testing.assert_allclose(separate(gradient, viscosity=1e-6, density=1000.0).eta, 1e-3)
    np.testing.assert_allclose(separate(gradient, viscosity=1e-6 * RATES, density=1000.0).eta, 1e-3 * RATES)
    law = separate(gradient, viscosity="power-law(K=1e-6, n=0.5)", density=1000.0).fit.model
    assert law.parameters == pytest.approx({"K": 1e-3, "n": 0.5})


def two_cells(first, second):
    """Two boxes side by side, of the given volumes."""
    x = np.array([0.0, first, first + second])
    points = np.array([[a, b, c] for a in x for b in (0, 1) for c in (0, 1)], float)
    cells = Cells.of_type(12, np.array([[0, 4, 6, 2, 1, 5, 7, 3], [4, 8, 10, 6, 5, 9, 11, 7]]))
    return Flow.from_arrays(points, cells, np.zeros((2, 3)))


def test_six_components_are_in_the_order_of_vtk():
    gradient = generic()
    stress = dissipating(gradient)
    expected = separate(gradient, stress=stress).eta
    for given in (stress[:, *VTK_ORDER], stress.reshape(-1, 9)):
        np.testing.assert_allclose(separate(gradient, stress=given).eta, expected, rtol=1e-12)


def test_the_parts_add_up_where_nothing_deforms():
    stress = np.broadcast_to(np.diag([1.0, -1.0, 0.0]) + np.ones((3, 3)), (4, 3, 3))
    separation = separate(VelocityGradient(np.zeros((4, 3, 3))), stress=stress)
    assert np.isnan(separation.eta_newtonian)
    assert "eta_newtonian" not in separation.evidence
    np.testing.assert_array_equal(separation.newtonian_part, 0)
    np.testing.assert_array_equal(separation.unexplained_part, stress)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("bad", [np.inf, -np.inf, np.nan])
@pytest.mark.parametrize("as_rows", [True, False])
def test_one_bad_component_excludes_its_tensor_and_no_other(bad, as_rows):
    gradient = generic(50)
    stress = dissipating(gradient)
    expected = separate(VelocityGradient(gradient.L[1:]), stress=stress[1:])
    stress[0, 0, 0] = bad
    separation = separate(gradient, stress=stress.reshape(-1, 9) if as_rows else stress)
    assert separation.evidence["excluded_invalid"] == 1
    assert separation.eta_newtonian == pytest.approx(expected.eta_newtonian)
    assert separation.unexplained == pytest.approx(expected.unexplained)
    assert separation.coherence == pytest.approx(expected.coherence)
    assert np.isnan(separation.unexplained_part[0]).all()
