"""Units that files tell: angles are no lengths at any door, a unit may stand in a name, scales change both."""

from __future__ import annotations

import numpy as np
import pytest

import flowgrad
from flowgrad import OptionError, Options, Patch, analyse, read
from flowgrad.io import read_contents, write_vtu
from flowgrad.pipeline.out_of_core import run_in_blocks
from tests import meshes
from tests.pipeline.images import write_image

LON, LAT = np.linspace(3.0, 5.0, 5), np.linspace(50.0, 53.0, 4)
GRID = np.meshgrid(LON, LAT)


def table(folder, names, unit):
    columns = [f"{name} [{unit}]" if unit and n < 2 else name for n, name in enumerate((*names, "u", "v"))]
    values = np.column_stack([*(each.ravel() for each in GRID), np.ones(20), np.ones(20)])
    np.savetxt(folder / "a.csv", values, delimiter=",", header=",".join(columns), comments="")
    return lambda: read(folder / "a.csv")


def frame(folder, names, unit):
    pandas = pytest.importorskip("pandas")
    named = [f"{name} ({unit})" if unit else name for name in names]
    data = pandas.DataFrame({named[0]: GRID[0].ravel(), named[1]: GRID[1].ravel(), "u": np.ones(20), "v": np.ones(20)})
    return lambda: flowgrad.from_pandas(data)


def archive(folder, names, unit):
    np.savez(folder / "a.npz", **dict(zip(names, GRID, strict=True)), u=np.ones((4, 5)), v=np.ones((4, 5)))
    return lambda: read(folder / "a.npz")


def netcdf(folder, names, unit):
    module = pytest.importorskip("netCDF4")
    with module.Dataset(folder / "a.nc", "w") as data:
        for name, line in zip(names, (LON, LAT), strict=True):
            data.createDimension(name, len(line))
            variable = data.createVariable(name, "f8", (name,))
            variable[:] = line
            if unit:
                variable.units = unit
        for name in "uv":
            data.createVariable(name, "f8", names[::-1])[:] = 1.0
    return lambda: read(folder / "a.nc")


def dataset(folder, names, unit):
    module = pytest.importorskip("xarray")
    lines = zip(names, (LON, LAT), strict=True)
    about = {"units": unit} if unit else {}
    coordinates = {name: ((name,), line, about) for name, line in lines}
    data = module.Dataset({name: (names[::-1], np.ones((4, 5))) for name in "uv"}, coordinates)
    return lambda: flowgrad.from_xarray(data)


@pytest.mark.parametrize("door", [table, frame, archive, netcdf, dataset])
@pytest.mark.parametrize(
    ("names", "unit"),
    [
        *((("lon", "lat"), ""), (("longitude", "latitude"), ""), (("x", "y"), "°")),
        *((("x", "y"), "deg"), (("lon", "lat"), "degrees_east"), (("x", "y"), "degree_east")),
    ],
)
def test_angles_are_no_lengths(door, names, unit, tmp_path):
    if door is archive and unit and names == ("x", "y"):
        return  # an .npz tells no unit
    with pytest.raises(OptionError, match=r"longitudes and latitudes in .*, which are no lengths"):
        door(tmp_path, names, unit)()


def test_angles_are_refused_in_blocks(tmp_path):
    netcdf(tmp_path, ("lon", "lat"), "")
    with pytest.raises(OptionError, match="no lengths"):
        run_in_blocks(tmp_path / "a.nc", tmp_path / "out", Options(block_memory="1"))


MESH = meshes.SOLIDS["tetra"]
L = np.array([[0.3, -1.2, 0.7], [2.1, -0.4, 0.5], [-0.6, 0.9, 0.1]])


@pytest.mark.parametrize("name", ["velocity [cm/yr]", "Velocity (mm/s)", "velocity [px/frame]", "velocity [m/s]"])
def test_a_unit_in_the_name_is_no_part_of_it(name, tmp_path):
    write_vtu(tmp_path / "a.vtu", MESH, {name: MESH.points @ L.T, "T [K]": MESH.points})
    flow = read(tmp_path / "a.vtu")
    assert flow.velocity_name == name
    told = "is in " in " ".join(flow.notes)
    assert told == ("cm" in name or "mm" in name)
    assert not read(tmp_path / "a.vtu", velocity_scale=0.01).notes
    write_vtu(tmp_path / "b.vtu", MESH, {name.replace("elocity", f"elocity_{a}"): MESH.points[:, 0] for a in "xyz"})
    np.testing.assert_array_equal(read(tmp_path / "b.vtu").velocity, MESH.points[:, [0, 0, 0]])


def test_scales_of_length_and_of_velocity(tmp_path):
    """L scales as their quotient, with the noise; velocities on the boundary are scaled too."""
    write_vtu(tmp_path / "a.vtu", MESH, {"U": MESH.points @ L.T, "sigma": np.full(len(MESH.points), 0.1)})
    about = {"noise": "sigma"}
    one = flowgrad.velocity_gradient(read(tmp_path / "a.vtu", **about))
    other = flowgrad.velocity_gradient(read(tmp_path / "a.vtu", length_scale=1e3, velocity_scale=50.0, **about))
    np.testing.assert_allclose(other.L, 0.05 * one.L, rtol=1e-12)
    np.testing.assert_allclose(other.std("vorticity"), 0.05 * one.std("vorticity"), rtol=1e-10)
    assert other.flow.noise_size == pytest.approx(5.0)
    for wrong in (0.0, -1.0, np.inf):
        with pytest.raises(OptionError, match="--velocity-scale"):
            read(tmp_path / "a.vtu", velocity_scale=wrong)
    with pytest.raises(OptionError, match="--velocity-scale does not change --gradient-field"):
        Options(velocity_scale=2.0, gradient_field="L")


def test_blocks_are_scaled_alike(tmp_path):
    velocity = np.random.default_rng(0).normal(size=(120, 3))
    write_image(tmp_path / "a.vti", (6, 5, 4), {"velocity": velocity})
    options = Options(block_memory="1", velocity_scale=0.5, length_scale=2.0, y_down=True, quantities=("L",))
    run_in_blocks(tmp_path / "a.vti", tmp_path / "out", options)
    found = read_contents(tmp_path / "out_blocks.vti").point_data["L"]
    whole = analyse(tmp_path / "a.vti", options).gradient.L
    np.testing.assert_allclose(found, whole.reshape(-1, 9), rtol=1e-12, atol=1e-14)


def test_patches_are_scaled(tmp_path):
    patch_of = MESH.topology.face_points(np.arange(3))
    assert len(patch_of[0]) == 4
    flow = flowgrad.Flow(MESH, MESH.points, "points", boundary=(Patch("wall", np.arange(3), np.ones((3, 3))),))
    pytest.importorskip("pyvista")
    back = flowgrad.from_pyvista(flowgrad.to_pyvista(flow), velocity_scale=4.0)
    np.testing.assert_array_equal(back.boundary[0].velocity, np.full((3, 3), 4.0))
