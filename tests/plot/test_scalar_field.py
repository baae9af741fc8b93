"""What figures show and what their axes say: from the record of what was computed, never from the name of an array."""

import numpy as np
import pytest
from matplotlib.collections import PolyCollection, TriMesh
from matplotlib.mathtext import MathTextParser

from flowgrad import QUANTITIES, Flow, Lattice, OptionError, VelocityGradient, at_walls, plot, velocity_gradient
from flowgrad.exact import DoubleGyre
from flowgrad.kinematics import GIVEN
from flowgrad.paths import RECORDS as OF_PATHS
from flowgrad.paths import deformation, ftle
from flowgrad.plot.scalar_field import component, mesh_of
from flowgrad.walls import RECORDS as OF_WALLS
from tests.meshes import SOLIDS, planar

pytestmark = pytest.mark.filterwarnings("error")

GRID = Lattice.uniform((13, 7), 0.15, origin=(0.1, 0.05, 0))
GYRE = DoubleGyre()
PARSER = MathTextParser("path")


def channel(**data):
    lattice = Lattice.uniform((5, 6), 0.2)
    y = lattice.points[:, 1]
    return Flow(lattice, np.outer(y * (2 - y), [1.0, 0, 0]), "points", point_data=data, noise=0.01)


def bar_label(ax):
    return ax.child_axes[0].get_xlabel() or ax.child_axes[0].get_ylabel()


@pytest.fixture(scope="module")
def found():
    return ftle(GYRE, GRID, 0.0, 2.0, rtol=1e-5)


@pytest.fixture(scope="module")
def walls():
    mesh = SOLIDS["mixed"]
    x = mesh.points
    flow = Flow(mesh, np.column_stack([x[:, 1] * x[:, 2], x[:, 0] ** 2, x[:, 1]]), "points", point_data={"p": x[:, 0]})
    return at_walls(flow, lambda x: x[:, 2] < np.inf, viscosity=0.2, pressure="p")


def test_ftle_and_deformation_on_their_mesh(found):
    with plot.figure() as ax:
        assert plot.field(found, "ftle", ax) is ax
        assert bar_label(ax).startswith(OF_PATHS["ftle"].label)
        assert "[1/T]" in bar_label(ax)
        assert any(type(each) is TriMesh for each in ax.collections)
    np.testing.assert_array_equal(plot.scalar_field(found, "ftle").values, found.values)
    for name, record in OF_PATHS.items():
        what = plot.scalar_field(found, name)
        assert what.values.shape == (len(GRID.points),)
        assert what.label.endswith(f"[{'–' if record.dimension == '1' else record.dimension}]")
        if name != "ftle":
            assert plot.scalar_field(found.deformation, name).label == what.label
    F = found.deformation.F
    np.testing.assert_allclose(plot.scalar_field(found, "F").values, np.linalg.norm(F, axis=(1, 2)))
    with plot.figure() as ax:
        plot.profile({"0 to 2": found}, "ftle", ax, (0.2, 0.5), (1.7, 0.5))
        assert ax.get_ylabel() == OF_PATHS["ftle"].label
    with plot.figure() as ax:
        plot.gradient_arrows(found, "ftle", ax)
        assert bar_label(ax).startswith(OF_PATHS["ftle"].label)


def test_paths_without_a_mesh_or_a_name_say_so(found):
    alone = deformation(GYRE, GRID.points, 0.0, 0.1)
    with plot.figure() as ax, pytest.raises(OptionError, match="without a mesh"):
        plot.field(alone, "F", ax)
    with pytest.raises(OptionError, match=r"unknown quantity of paths 'ftel' \(did you mean 'ftle'"):
        plot.scalar_field(found, "ftel")
    with pytest.raises(OptionError, match="unknown quantity of paths 'ftle'"):
        plot.scalar_field(alone, "ftle")


def test_walls_in_space_on_their_faces(walls):
    for name in (*walls.arrays.keys() - {"patch"}, "viscous_traction", "shear_rate", "velocity"):
        what = plot.scalar_field(walls, name)
        assert (what.location, what.values.shape) == ("cells", (len(walls),))
        records = OF_WALLS if name in OF_WALLS else {**QUANTITIES, **GIVEN}
        assert what.label.endswith(f"[{'–' if records[name].dimension == '1' else records[name].dimension}]")
    np.testing.assert_allclose(
        plot.scalar_field(walls, "wall_shear_stress").values, np.linalg.norm(walls.wall_shear_stress, axis=1)
    )
    section = plot.boundary(mesh_of(walls))
    with plot.figure() as ax:
        plot.field(walls, "wall_shear_stress", ax, section)
        assert bar_label(ax).startswith(r"wall shear stress $|\tau_w|$ [M/(L T²) or L²/T²]")
        drawn = [each for each in ax.collections if type(each) is PolyCollection]
        assert len(drawn[0].get_paths()) == len(section)


def test_a_density_decides_between_the_dimensions():
    faces = {"where": lambda x: x[:, 1] < 1e-9, "viscosity": 0.1}
    either, dynamic = at_walls(channel(), **faces), at_walls(channel(), **faces, density=1000.0)
    assert plot.scalar_field(either, "wall_shear_stress").label == r"wall shear stress $\tau_{w,x}$ [M/(L T²) or L²/T²]"
    assert plot.scalar_field(dynamic, "wall_shear_stress").label == r"wall shear stress $\tau_{w,x}$ [M/(L T²)]"
    np.testing.assert_array_equal(plot.shown(dynamic, "wall_shear_stress").values, dynamic.wall_shear_stress[:, 0])


def test_what_is_not_known_on_walls_says_what_gives_it():
    walls = at_walls(channel(), lambda x: x[:, 1] < 1e-9)
    for name, option in (("wall_shear_stress", "viscosity="), ("pressure", "pressure="), ("viscosity", "viscosity=")):
        with pytest.raises(OptionError, match=option):
            plot.scalar_field(walls, name)
    for name in ("force", "patch", "wall_shaer_rate"):
        with pytest.raises(OptionError, match=f"unknown quantity of walls '{name}'"):
            plot.scalar_field(walls, name)


@pytest.mark.parametrize("name", ["wall_shear_stress", "ftle", "FTLE", "traction", "pressure", "vorticity"])
def test_an_array_of_a_file_gets_no_unit_for_its_name(name):
    """It may be in other units, divided by a density, or something else."""
    flow = channel(**{name: np.linspace(-1, 2, 30)})
    assert plot.scalar_field(flow, name).label == f"{name} [unit of the file]"
    assert plot.scalar_field(flow, f"array:{name}").label == f"{name} [unit of the file]"
    if name not in QUANTITIES:
        assert plot.scalar_field(velocity_gradient(flow), name).label == f"{name} [unit of the file]"


def test_an_array_named_like_a_quantity_is_reached_beside_it():
    own = np.linspace(-1, 2, 30)
    gradient = velocity_gradient(channel(shear_rate=own, velocity=own, error=own))
    np.testing.assert_array_equal(plot.scalar_field(gradient, "array:shear_rate").values, own)
    np.testing.assert_array_equal(plot.scalar_field(gradient, "array:velocity").values, own)
    np.testing.assert_array_equal(plot.scalar_field(gradient, "shear_rate").values, gradient["shear_rate"])
    assert plot.scalar_field(gradient, "shear_rate").label == QUANTITIES["shear_rate"].label
    with pytest.raises(OptionError, match=r"unknown array 'shear_rat' \(did you mean 'shear_rate'"):
        plot.scalar_field(gradient, "array:shear_rat")
    with pytest.raises(OptionError, match="unknown array 'p': known are none"):
        plot.scalar_field(channel(), "array:p")


def test_the_noise_of_the_velocity_is_not_that_of_an_array():
    """A profile draws the band of quantities only, and of an array there is no uncertainty to draw."""
    gradient = velocity_gradient(channel(p=np.linspace(-1, 2, 30), shear_rate=np.ones(30)))
    for name, bands in (("shear_rate", 1), ("p", 0), ("array:shear_rate", 0), ("array:p", 0)):
        with plot.figure() as ax:
            plot.profile(gradient, name, ax, (0.4, 0), (0.4, 1))
            assert len(ax.collections) == bands
    with plot.figure() as ax, pytest.raises(OptionError, match="array:shear_rate has no uncertainty"):
        plot.uncertainty(gradient, "array:shear_rate", ax)


@pytest.mark.parametrize("name", [*QUANTITIES, *GIVEN, *OF_WALLS, *OF_PATHS])
def test_every_symbol_can_be_set(name):
    """As it is, as a magnitude, and with the index of a component."""
    record = {**QUANTITIES, **GIVEN, **OF_WALLS, **OF_PATHS}[name]
    for axis in range(3):
        for symbol in (record.symbol, f"|{record.symbol}|", component(record.symbol, axis)):
            PARSER.parse(record.label_of(symbol))


def test_walls_of_a_planar_flow_are_lines():
    walls = at_walls(channel(), lambda x: x[:, 1] < 1e-9)
    with plot.figure() as ax, pytest.raises(OptionError, match=r"against walls\.centroids"):
        plot.field(walls, "wall_shear_rate", ax)


@pytest.mark.parametrize("columns", [2, 6, 9])
def test_rows_that_are_no_vectors_are_shown_by_their_magnitude(columns):
    for values in (np.zeros((30, columns)), np.eye(columns)[np.zeros(30, int)], np.ones((30, columns))):
        what = plot.scalar_field(channel(a=values), "a")
        assert what.label == "|a| [unit of the file]"
        twice = np.array([1, 1, 1, 2, 2, 2]) if columns == 6 else 1
        np.testing.assert_allclose(what.values, np.sqrt((twice * values**2).sum(axis=1)))


def test_what_is_rounding_of_the_gradient_is_zero():
    """The vorticity of a pure strain, of any size, computed from samples."""
    for scale in (1e-9, 1.0, 1e9):
        mesh = planar("quad")
        flow = Flow(mesh, scale * mesh.points[:, [1, 0, 2]] * [1, 1, 0], "points")
        gradient = velocity_gradient(flow)
        assert (gradient["vorticity"] != 0).any()
        assert (plot.scalar_field(gradient, "vorticity").values == 0).all()
        assert (plot.scalar_field(gradient, "shear_rate").values > scale).all()


def test_numbers_in_order_are_counted_and_no_directions():
    L = np.zeros((4, 3, 3))
    L[:, 0, 0] = 2.0
    assert r"$d_1$" in plot.scalar_field(VelocityGradient(L), "principal_rates").label


@pytest.mark.parametrize(("name", "label"), [("p [Pa]", "p [Pa]"), ("U[1]", "U[1] [unit of the file]")])
def test_a_unit_that_the_file_writes_in_a_name_is_not_said_twice(name, label):
    assert plot.scalar_field(channel(**{name: np.arange(30.0)}), name).label == label
