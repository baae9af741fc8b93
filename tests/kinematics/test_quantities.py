import subprocess
import sys

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from flowgrad import QUANTITIES, OptionError, VelocityGradient, compiled, quantity
from flowgrad.kinematics import registry
from flowgrad.kinematics.registry import OF_FIELD

RNG = np.random.default_rng(5)
RANDOM = VelocityGradient(RNG.normal(size=(500, 3, 3)))
INPUTS = {
    "hessian": RNG.normal(size=(500, 3, 3, 3)),
    "viscosity": RNG.uniform(size=500),
    "velocity": RNG.normal(size=(500, 3)),
    "velocity_rate": RNG.normal(size=(500, 3)),
    "L_rate": RNG.normal(size=(500, 3, 3)),
    "density": RNG.uniform(1, 2, 500),
    "length": RNG.uniform(1, 2, 500),
    "position": RNG.uniform(size=(500, 3)) * (1, 1, 0),
}
# Of planar flows, whose frame is the plane's.
PLANAR = {"gamma1", "gamma2"}
NOT_TENSORS = {"principal_rates", "vorticity_strain_alignment"}


def one(L):
    return VelocityGradient(np.array([L], float))


def test_simple_shear():
    gamma = 2.5
    shear = one([[0, gamma, 0], [0, 0, 0], [0, 0, 0]])
    assert shear["shear_rate"][0] == pytest.approx(gamma)
    np.testing.assert_allclose(shear["vorticity"][0], [0, 0, -gamma])
    assert shear["flow_type"][0] == pytest.approx(0, abs=1e-15)
    assert shear["kinematic_vorticity_number"][0] == pytest.approx(1)
    assert shear["q_criterion"][0] == pytest.approx(0, abs=1e-15)
    np.testing.assert_allclose(shear["principal_rates"][0], [gamma / 2, 0, -gamma / 2], atol=1e-15)
    assert shear.supply(viscosity=np.array([3.0]))["dissipation"][0] == pytest.approx(3 * gamma**2)


def test_uniaxial_extension():
    rate = 0.7
    extension = one(np.diag([rate, -rate / 2, -rate / 2]))
    assert extension["shear_rate"][0] == pytest.approx(np.sqrt(3) * rate)
    assert extension["flow_type"][0] == 1
    assert extension["kinematic_vorticity_number"][0] == 0


def test_rigid_rotation():
    rotation = one([[0, -2, 0], [2, 0, 0], [0, 0, 0]])
    np.testing.assert_allclose(rotation["vorticity"][0], [0, 0, 4])
    assert rotation["flow_type"][0] == -1
    assert rotation["q_criterion"][0] == pytest.approx(4)
    assert rotation["lambda2"][0] == pytest.approx(-4)


def test_definitions_on_random_gradients():
    L, D, W = RANDOM.L, RANDOM.D, RANDOM.W
    np.testing.assert_allclose(D + W, L, atol=1e-15)
    omega = RANDOM["vorticity"]
    levi_civita = np.zeros((3, 3, 3))
    levi_civita[[0, 1, 2], [1, 2, 0], [2, 0, 1]], levi_civita[[0, 2, 1], [2, 1, 0], [1, 0, 2]] = 1, -1
    np.testing.assert_allclose(W, -0.5 * np.einsum("ijk,nk->nij", levi_civita, omega), atol=1e-15)
    np.testing.assert_allclose(
        RANDOM["q_criterion"],
        0.5 * (np.trace(L, axis1=1, axis2=2) ** 2 - np.trace(L @ L, axis1=1, axis2=2)),
        atol=1e-13,
    )
    np.testing.assert_allclose(RANDOM["invariant_r"], -np.linalg.det(L), atol=1e-13)
    np.testing.assert_allclose(RANDOM["third_invariant_of_D"], np.linalg.det(D), atol=1e-13)


def test_the_invariants_are_those_of_the_characteristic_polynomial():
    eigenvalues = np.linalg.eigvals(RANDOM.L)
    p, q, r = (RANDOM[name][:, None] for name in ("invariant_p", "q_criterion", "invariant_r"))
    residual = eigenvalues**3 + p * eigenvalues**2 + q * eigenvalues + r
    assert np.abs(residual).max() < 1e-11 * np.abs(eigenvalues).max() ** 3


@pytest.mark.parametrize("scale", [1.0, 1e-6, 1e6])
def test_lambda2_is_numpys(scale):
    L = scale * RANDOM.L
    D, W = (L + L.swapaxes(1, 2)) / 2, (L - L.swapaxes(1, 2)) / 2
    expected = np.linalg.eigvalsh(D @ D + W @ W)[:, 1]
    np.testing.assert_allclose(VelocityGradient(L)["lambda2"], expected, atol=1e-13 * np.abs(expected).max())


def test_eigenvalues_where_two_coincide():
    from flowgrad.tensors import eigenvalues

    Q = Rotation.random(200, random_state=1).as_matrix()
    for spectrum in ([3, 1, 1], [1, 1, -2], [5, 5 - 1e-9, 0], [1, 1e-8, 1e-16], [0, 0, 0], [2, 2, 2]):
        A = Q @ np.diag(np.array(spectrum, float)) @ Q.swapaxes(1, 2)
        np.testing.assert_allclose(eigenvalues(A), np.broadcast_to(spectrum, (200, 3)), atol=1e-14 * 5)


def test_principal_directions_diagonalise_D():
    E, rates = RANDOM["principal_directions"], RANDOM["principal_rates"]
    np.testing.assert_allclose(E.swapaxes(1, 2) @ RANDOM.D @ E, rates[:, :, None] * np.eye(3), atol=1e-13)


def turned(array, Q, indices):
    for axis in range(1, 1 + indices):
        array = np.moveaxis(np.tensordot(array, Q, axes=(axis, 1)), -1, axis)
    return array


@pytest.mark.parametrize("name", sorted(QUANTITIES.keys() - PLANAR - {"principal_directions"}))
def test_quantities_turn_with_the_frame(name):
    """Scalars do not change in a rotated frame, vectors and tensors turn with it."""
    Q = Rotation.random(random_state=2).as_matrix()
    inputs = {each: turned(array, Q, array.ndim - 1) for each, array in INPUTS.items()}
    original, other = RANDOM.supply(**INPUTS), VelocityGradient(turned(RANDOM.L, Q, 2)).supply(**inputs)
    indices = 0 if name in NOT_TENSORS else original[name].ndim - 1
    np.testing.assert_allclose(other[name], turned(original[name], Q, indices), rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("name", QUANTITIES)
def test_quantities_have_the_dimension_they_say(name):
    """In other units of length and time their numbers change as the dimension tells."""
    length, time = 1e3, 1e-4
    units = {"hessian": 1 / (length * time), "velocity": length / time, "velocity_rate": length / time**2}
    units |= {
        "viscosity": length**2 / time,
        "L_rate": 1 / time**2,
        "density": 1.0,
        "length": length,
        "position": length,
    }
    inputs = {each: array * units[each] for each, array in INPUTS.items()}
    dimension = QUANTITIES[name].dimension.split(" or ")[-1].replace("²", "**2").replace("³", "**3")
    dimension = dimension.replace("⁶", "**6").replace("(L T", "(L*T").replace("T) ", "T)*")
    factor = eval(dimension, {"L": length, "T": time})
    other = VelocityGradient(RANDOM.L / time).supply(**inputs)
    expected = factor * RANDOM.supply(**INPUTS)[name]
    if name == "triple_residual":
        assert np.abs(other[name]).max() < 1e-14
    else:
        np.testing.assert_allclose(other[name], expected, rtol=1e-9, atol=1e-11 * np.nanmax(np.abs(expected)))


def test_viscous_force_of_channel_flow_is_the_pressure_gradient():
    """v_x = G (1 − y²)/(2η): ∂²v_x/∂y² = −G/η, and η∇²v = −G everywhere."""
    G, eta = 5.0, 0.3
    hessian = np.zeros((1, 3, 3, 3))
    hessian[0, 0, 1, 1] = -G / eta
    flow = one(np.zeros((3, 3))).supply(hessian=hessian, viscosity=np.array([eta]))
    np.testing.assert_allclose(flow["viscous_force"], [[-G, 0, 0]])


def test_each_input_is_computed_once_and_kept():
    gradient = VelocityGradient(RANDOM.L)
    assert gradient["shear_rate"] is gradient["shear_rate"]
    assert gradient.D is gradient["D"]


def test_missing_inputs_name_the_option():
    with pytest.raises(OptionError, match="--viscosity"):
        RANDOM["dissipation"]
    with pytest.raises(OptionError, match="--steady"):
        RANDOM["acceleration"]
    with pytest.raises(OptionError, match=r"acceleration: .*a flow"):
        RANDOM.supply(velocity_rate=INPUTS["velocity_rate"])["acceleration"]
    with pytest.raises(OptionError, match="did you mean 'vorticity'"):
        RANDOM["vortcity"]
    with pytest.raises(OptionError, match="shape"):
        VelocityGradient(np.zeros((3, 3)))


def test_missing_tensors_stay_missing_in_every_quantity():
    L = RANDOM.L.copy()
    L[3] = np.nan
    inputs = {each: array.copy() for each, array in INPUTS.items()}
    inputs["hessian"][3] = inputs["viscosity"][3] = np.nan
    gradient = VelocityGradient(L).supply(**inputs)
    assert not gradient.valid[3]
    swirling = int(np.flatnonzero(gradient["swirling_strength"] > 0)[0])
    for name in QUANTITIES.keys() - OF_FIELD:
        assert np.isnan(gradient[name][3]).all(), name
        assert np.isfinite(gradient[name][swirling]).all(), name
    assert np.isfinite(gradient["omega_epsilon"]).all()


def test_pieces_on_threads_change_nothing(monkeypatch):
    whole, pieces = RANDOM.supply(**INPUTS), VelocityGradient(RANDOM.L).supply(**INPUTS)
    expected = {name: whole[name] for name in QUANTITIES}
    for module in (compiled, registry):
        monkeypatch.setattr(module, "PIECE", 64)
    for name in QUANTITIES:
        np.testing.assert_allclose(pieces[name], expected[name], rtol=1e-13, atol=1e-13, err_msg=name)


def test_every_record_is_whole():
    for name, record in QUANTITIES.items():
        assert all([record.symbol, record.dimension, record.reference, record.description.endswith(".")]), name


def test_weights_share_the_measure_among_points():
    from flowgrad import Flow
    from tests import meshes

    mesh = meshes.SOLIDS["mixed"]
    total = mesh.measures[mesh.is_full].sum()
    for location, count in (("points", len(mesh.points)), ("cells", len(mesh))):
        flow = Flow(mesh, np.zeros((count, 3)), location)
        assert VelocityGradient(np.zeros((count, 3, 3)), flow).weights.sum() == pytest.approx(total)


def test_names_that_are_taken_are_refused():
    before = RANDOM["shear_rate"]
    for name in ("shear_rate", "schur_form", "velocity"):

        def function(D):
            return D[:, 0, 0]

        function.__name__ = name
        with pytest.raises(OptionError, match=rf"'{name}' of {__name__} .* taken by flowgrad\.kinematics\."):
            quantity("a", "1/T")(function)
    np.testing.assert_array_equal(VelocityGradient(RANDOM.L)["shear_rate"], before)


def test_a_quantity_of_ones_own_may_be_written_again(monkeypatch):
    monkeypatch.setattr(registry, "QUANTITIES", dict(QUANTITIES))
    for _ in range(2):

        @quantity("m", "1/T")
        def my_rate(shear_rate):
            return 2 * shear_rate

    assert registry.QUANTITIES["my_rate"].function is my_rate


def test_components_are_those_of_the_values():
    whole = RANDOM.supply(**INPUTS)
    for name in QUANTITIES:
        assert registry.components_of(name) == whole[name].shape[1:], name
    assert {name: registry.components_of(name) for name in INPUTS} == {k: v.shape[1:] for k, v in INPUTS.items()}


def test_tensors_without_a_flow_need_no_mesh():
    code = (
        "import sys, numpy as np; from flowgrad.kinematics import VelocityGradient\n"
        "g = VelocityGradient(np.eye(3)[None]); g['lambda2'], g.weights, g.notes\n"
        "assert not {'flowgrad.mesh', 'flowgrad.flow'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
