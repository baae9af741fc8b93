from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from flowgrad import Cells, Mesh, OptionError
from flowgrad.io import Contents, choose_velocity
from flowgrad.io.velocity import COMPONENTS, VECTORS

POINTS, CELLS = 4, 2


def contents(point_data=None, cell_data=None) -> Contents:
    mesh = Mesh(np.eye(4, 3), Cells.of_type(5, np.array([[0, 1, 2], [1, 2, 3]])))
    return Contents(mesh, Path("case.vtu"), point_data or {}, cell_data or {})


def vectors(count: int, components: int = 3, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, components))


def scalars(names: str, count: int = POINTS) -> dict[str, np.ndarray]:
    return {name: np.random.default_rng(seed).normal(size=count) for seed, name in enumerate(names.split(","))}


@pytest.mark.parametrize("name", VECTORS)
def test_usual_names_of_vectors(name):
    given = vectors(POINTS)
    others = {"p": np.zeros(POINTS), "vorticity": vectors(POINTS, seed=1), "UMean": vectors(POINTS, seed=2)}
    found, location, values = choose_velocity(contents({**others, name: given}))
    assert (found, location) == (name, "points")
    np.testing.assert_array_equal(values, given)


@pytest.mark.parametrize("names", [*COMPONENTS, *(names[:2] for names in COMPONENTS)])
def test_usual_names_of_components(names):
    data = scalars(",".join(names))
    found, location, values = choose_velocity(contents({"a": np.zeros(POINTS), **data}))
    assert (found, location) == (",".join(names), "points")
    for axis, name in enumerate(names):
        np.testing.assert_array_equal(values[:, axis], data[name])
    assert values.shape == (POINTS, 3)
    assert len(names) == 3 or not values[:, 2].any()


def test_names_of_components_that_programs_write():
    for names in (
        ("x-velocity", "y-velocity", "z-velocity"),
        ("X Velocity", "Y Velocity", "Z Velocity"),
        ("VelocityX", "VelocityY", "VelocityZ"),
        ("Velocity_X", "Velocity_Y", "Velocity_Z"),
        ("velocity_x", "velocity_y", "velocity_z"),
        ("Ux", "Uy", "Uz"),
        ("U_x", "U_y", "U_z"),
        ("Velocity[i]", "Velocity[j]", "Velocity[k]"),
    ):
        assert names in COMPONENTS
    assert len(set(COMPONENTS)) == len(COMPONENTS)


def test_planar_vectors_get_a_third_component():
    given = vectors(CELLS, 2)
    _, location, values = choose_velocity(contents({}, {"U": given}))
    assert location == "cells"
    np.testing.assert_array_equal(values, np.column_stack([given, [0, 0]]))


def test_nan_is_kept():
    given = vectors(POINTS)
    given[1, 2] = np.nan
    np.testing.assert_array_equal(choose_velocity(contents({"U": given}))[2], given)


def test_one_name_on_points_and_cells_is_one_field():
    both = contents({"U": vectors(POINTS)}, {"U": vectors(CELLS)})
    assert choose_velocity(both)[1] == "cells"
    assert choose_velocity(both, location="points")[1] == "points"
    assert choose_velocity(both, "U")[1] == "cells"
    assert len(choose_velocity(both, "U", "points")[2]) == POINTS


@pytest.mark.parametrize(
    "data",
    [
        {"V": np.ones(CELLS)},
        {"U": np.ones((CELLS, 3), np.int32)},
        {"U": np.ones((CELLS, 9))},
        {"u": np.ones(CELLS), "w": np.ones(CELLS)},
        {"u": np.ones(CELLS), "v": np.ones(CELLS, bool)},
        {"u": np.ones(CELLS), "v": np.ones(CELLS), "w": np.ones((CELLS, 3))},
        {},
    ],
)
def test_no_candidates(data):
    with pytest.raises(OptionError, match=r"^case\.vtu: no velocity under a usual name\."):
        choose_velocity(contents({}, data))


def test_openfoam_volume_is_no_velocity():
    data = {"V": np.ones(CELLS), "U": vectors(CELLS)}
    assert choose_velocity(contents({}, data))[0] == "U"


def test_two_different_arrays_are_a_conflict():
    data = {"U": vectors(CELLS), "velocity": vectors(CELLS, seed=1)}
    with pytest.raises(OptionError, match=r"'U' on cells \(2, 3\) and 'velocity' on cells \(2, 3\).*--velocity NAME"):
        choose_velocity(contents({}, data))
    assert choose_velocity(contents({}, data), "velocity")[0] == "velocity"


def test_different_names_on_points_and_cells_are_a_conflict():
    with pytest.raises(OptionError, match=r"'U' on points \(4, 3\) and 'velocity' on cells \(2, 3\)"):
        choose_velocity(contents({"U": vectors(POINTS)}, {"velocity": vectors(CELLS)}))
    data = contents({"U": vectors(POINTS)}, {"velocity": vectors(CELLS)})
    assert choose_velocity(data, location="points")[:2] == ("U", "points")
    assert choose_velocity(data, location="cells")[:2] == ("velocity", "cells")


def test_vector_and_different_components_are_a_conflict():
    with pytest.raises(OptionError, match=r"'velocity' on points .* and 'u,v,w' on points"):
        choose_velocity(contents({"velocity": vectors(POINTS), **scalars("u,v,w")}))


def test_equal_values_are_no_conflict():
    given = vectors(POINTS)
    given[0, 0] = np.nan
    parts = dict(zip("uvw", given.T, strict=True))
    assert choose_velocity(contents({"U": given, "Velocity": given.copy(), **parts}))[0] == "U"


def test_offer_lists_the_arrays_there_are():
    with pytest.raises(OptionError, match=r"'B' on points \(4, 3\), 'xy' on cells \(2, 2\): choose one with"):
        choose_velocity(contents({"B": vectors(POINTS), "p": np.ones(POINTS)}, {"xy": vectors(CELLS, 2)}))
    with pytest.raises(OptionError, match=r"no array with 2 or 3 components: .*--velocity u,v,w"):
        choose_velocity(contents({"p": np.ones(POINTS)}))


def test_explicit_name_wins_over_usual_ones():
    data = {"U": vectors(POINTS), "UMean": vectors(POINTS, seed=1)}
    np.testing.assert_array_equal(choose_velocity(contents(data), "UMean")[2], data["UMean"])


def test_explicit_components():
    data = scalars("alpha,beta,gamma")
    name, _, values = choose_velocity(contents(data), "alpha, beta,gamma")
    assert name == "alpha, beta,gamma"
    np.testing.assert_array_equal(values, np.column_stack(list(data.values())))
    assert not choose_velocity(contents(data), "alpha,beta")[2][:, 2].any()


def test_components_may_be_whole_numbers():
    whole = {name: np.arange(POINTS) * k for k, name in enumerate("uv")}
    found, _, values = choose_velocity(contents(whole))
    assert found == "u,v"
    np.testing.assert_array_equal(values[:, 1], np.arange(POINTS))


def test_explicit_integers_are_taken():
    assert choose_velocity(contents({"disp": np.ones((POINTS, 3), np.int16)}), "disp")[2].dtype == np.float64


@pytest.mark.parametrize(
    ("name", "location", "message"),
    [
        ("Velosity", None, r"no array 'Velosity' \(did you mean 'Velocity'\?\)"),
        ("p,q,Velosity", None, r"no array 'q'"),
        ("p", None, r"'p' has the shape \(4,\), no vectors"),
        ("tensor", None, r"shape \(4, 9\)"),
        ("p,Velocity", None, r"parts of the shapes \(4,\), \(4, 3\): name scalars"),
        ("Velocity", "cells", r"'Velocity' is not on cells but on points: give --location points"),
        (None, "cells", r"no velocity under a usual name on cells"),
        (None, "nodes", "on nodes"),
    ],
)
def test_explicit_choices_that_fail(name, location, message):
    data = {"Velocity": vectors(POINTS), "p": np.ones(POINTS), "tensor": np.ones((POINTS, 9))}
    with pytest.raises(OptionError, match=message):
        choose_velocity(contents(data), name, location)


def test_names_of_single_programs():
    for names in ("v1,v2,v3", "VELX,VELY,VELZ", "UVEL,VVEL,WVEL", "SV_U,SV_V", "uo,vo", "X Velocity,Y Velocity"):
        assert choose_velocity(contents(scalars(names)))[0] == names


@pytest.mark.parametrize("name", ["U.water", "UMean"])
def test_phases_and_means_where_there_is_no_other(name):
    given = vectors(POINTS)
    assert choose_velocity(contents({name: given}))[0] == name
    assert choose_velocity(contents({name: given, "U": vectors(POINTS, seed=1)}))[0] == "U"
    with pytest.raises(OptionError, match=r"'U\.air' .* and '.*' .* could both be the velocity"):
        choose_velocity(contents({"U.air": vectors(POINTS, seed=1), name: given}))


def test_a_velocity_that_is_not_stored():
    momentum, density = vectors(CELLS), np.array([2.0, 4.0])
    data = {"Momentum": momentum, "Density": density, "rho u": momentum[:, 0], "rhov": momentum[:, 1]}
    name, location, values = choose_velocity(contents({}, data), "Momentum/Density")
    assert (name, location) == ("Momentum/Density", "cells")
    np.testing.assert_array_equal(values, momentum / density[:, None])
    parts = choose_velocity(contents({}, data), '"rho u"/Density, rhov/Density')[2]
    np.testing.assert_array_equal(parts, [[1, 1, 0]] * values)
    empty = {"Momentum": momentum, "Density": np.array([0.0, 1.0])}
    assert np.isnan(choose_velocity(contents({}, empty), "Momentum/Density")[2][:, 0]).tolist() == [True, False]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Momentum/Densty", "--velocity: .*unknown name 'Densty'.*did you mean 'Density'"),
        ("Momentum/Density/Momentum2", "unknown name"),
        ("Momentum>0", "'>' is expected|no array"),
        ("Momentum*(Density>1)", r"unexpected '>'"),
        ("Density/2", r"'Density/2' has the shape \(2, 1\), no vectors"),
        ("Momentum+Pair", "joins .* take arrays of as many components"),
        ("Momentum/p", "joins arrays of points and of cells"),
        ("(1).__class__/2", "is not allowed"),
    ],
)
def test_what_is_no_velocity_is_refused(text, said):
    data = {"Momentum": vectors(CELLS), "Density": np.ones(CELLS), "Pair": np.ones((CELLS, 2))}
    with pytest.raises(OptionError, match=said) as told:
        choose_velocity(contents({"p": np.ones(POINTS)}, data), text)
    assert str(told.value).startswith("case.vtu: ")
    assert "\n" not in str(told.value)
