"""Masks and flags beside a velocity: one meaning at every door, by attributes, names, the samples, or asked."""

from __future__ import annotations

import numpy as np
import pytest

import flowgrad
from flowgrad import Flow, Lattice, Mesh, OptionError, Options, analyse, read
from flowgrad.io import write_vtu
from flowgrad.pipeline.out_of_core import run_in_blocks
from tests import meshes
from tests.pipeline.images import write_image

X, Y = np.linspace(0.0, 1.0, 7), np.linspace(0.0, 2.0, 5)
LATTICE = Lattice.rectilinear(X, Y)
PLACES = LATTICE.points
# The left third is solid.
FLUID = PLACES[:, 0] > 0.4
SHEAR = np.column_stack([1.0 + PLACES[:, 1], 0.5 * PLACES[:, 0] + 1, 0 * PLACES[:, 0]])
# As solvers leave it, and as a program that does not know its solids.
BLANK, FILLED = SHEAR * FLUID[:, None], SHEAR


def csv(folder, velocity, **flags):
    columns = {"x": PLACES[:, 0], "y": PLACES[:, 1], "u": velocity[:, 0], "v": velocity[:, 1], **flags}
    table = np.column_stack(list(columns.values()))
    np.savetxt(folder / "a.csv", table, delimiter=",", header=",".join(columns), comments="")
    return lambda **about: read(folder / "a.csv", **about)


def npz(folder, velocity, **flags):
    grid = {name: values.reshape(5, 7) for name, values in flags.items()}
    x, y = np.meshgrid(X, Y)
    u, v = (velocity[:, a].reshape(5, 7) for a in (0, 1))
    np.savez(folder / "a.npz", x=x, y=y, u=u, v=v, **grid)
    return lambda **about: read(folder / "a.npz", **about)


def netcdf(folder, velocity, attributes=None, **flags):
    netcdf4 = pytest.importorskip("netCDF4")
    with netcdf4.Dataset(folder / "a.nc", "w") as data:
        for name, line in (("y", Y), ("x", X)):
            data.createDimension(name, len(line))
            data.createVariable(name, "f8", (name,))[:] = line
        for name, values in {"u": velocity[:, 0], "v": velocity[:, 1], **flags}.items():
            variable = data.createVariable(name, values.dtype, ("y", "x"))
            variable[:] = values.reshape(5, 7)
            variable.setncatts((attributes or {}).get(name, {}))
    return lambda **about: read(folder / "a.nc", **about)


def vtk(suffix):
    def write(folder, velocity, **flags):
        pyvista = pytest.importorskip("pyvista")
        kinds = {".vti": pyvista.ImageData(dimensions=(7, 5, 1), spacing=(1 / 6, 0.5, 1))}
        kinds |= {
            ".vtr": pyvista.RectilinearGrid(X, Y, [0.0]),
            ".vts": pyvista.StructuredGrid(*np.meshgrid(X, Y, [0.0])),
        }
        grid = kinds.get(suffix, kinds[".vtr"].cast_to_unstructured_grid() if suffix == ".vtu" else None)
        order = np.lexsort(grid.points.T[:2])
        for name, values in {"velocity": velocity, **flags}.items():
            placed = np.empty(values.shape, values.dtype)
            placed[order] = values
            grid.point_data[name] = placed.astype(np.uint8) if placed.dtype.kind == "b" else placed
        grid.save(folder / f"a{suffix}")
        return lambda **about: read(folder / f"a{suffix}", **about)

    return write


def pandas(folder, velocity, **flags):
    frame = pytest.importorskip("pandas").DataFrame
    columns = {"x": PLACES[:, 0], "y": PLACES[:, 1], "u": velocity[:, 0], "v": velocity[:, 1], **flags}
    return lambda **about: flowgrad.from_pandas(frame(columns), **about)


def xarray(folder, velocity, attributes=None, **flags):
    module = pytest.importorskip("xarray")
    named = {"u": velocity[:, 0], "v": velocity[:, 1], **flags}
    variables = {n: (("y", "x"), v.reshape(5, 7), (attributes or {}).get(n, {})) for n, v in named.items()}
    data = module.Dataset(variables, {"x": X, "y": Y})
    return lambda **about: flowgrad.from_xarray(data, **about)


def pyvista(folder, velocity, **flags):
    grid = pytest.importorskip("pyvista").RectilinearGrid(X, Y, [0.0])
    for name, values in {"velocity": velocity, **flags}.items():
        grid.point_data[name] = values
    return lambda **about: flowgrad.from_pyvista(grid, **about)


def meshio(folder, velocity, **flags):
    module = pytest.importorskip("meshio")
    cells = LATTICE.cells.connectivity.reshape(-1, 4)[:, [0, 1, 3, 2]] if (LATTICE.cells.types == 8).all() else None
    cells = LATTICE.cells.connectivity.reshape(-1, 4) if cells is None else cells
    data = {"velocity": velocity, **{name: values.astype(float) for name, values in flags.items()}}
    mesh = module.Mesh(PLACES, [("quad", cells)], point_data=data)
    return lambda **about: flowgrad.from_meshio(mesh, **about)


DOORS = {"csv": csv, "npz": npz, "nc": netcdf, "pandas": pandas, "xarray": xarray, "pyvista": pyvista, "meshio": meshio}
DOORS |= {suffix: vtk(suffix) for suffix in (".vti", ".vtr", ".vts", ".vtu")}
ATTRIBUTED = ("nc", "xarray")


def left_out(flow):
    """Which samples are none, in the order of ``PLACES``."""
    order = np.lexsort(np.round(flow.mesh.points.T[:2], 6))
    assert np.allclose(flow.mesh.points[order], PLACES)
    return np.isnan(flow.velocity[order]).all(axis=1)


@pytest.mark.parametrize("door", DOORS)
def test_names_of_programs_mean_the_same_at_every_door(door, tmp_path):
    kinds = {
        "chc": np.where(FLUID, 1, -2),
        "typevector": np.where(FLUID, 2, 0),
        "vtkValidPointMask": FLUID.astype(np.uint8),
        "isValid": FLUID.astype(np.uint8),
        "flags": np.where(FLUID, 0, 4),
        "fluid_mask": FLUID.astype(np.uint8),
        "land_mask": (~FLUID).astype(np.uint8),
    }
    for name, values in kinds.items():
        flow = DOORS[door](tmp_path, FILLED, **{name: values})()
        np.testing.assert_array_equal(left_out(flow), ~FLUID, err_msg=name)
        assert f"{(~FLUID).sum()} by '{name}'" in " ".join(flow.notes)
    openpiv = DOORS[door](tmp_path, FILLED, flags=np.zeros(35, int), mask=(~FLUID).astype(int))()
    np.testing.assert_array_equal(left_out(openpiv), ~FLUID)


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("of_fluid", [True, False])
def test_a_mask_is_understood_by_what_is_blank_and_else_asked_about(door, of_fluid, tmp_path):
    mask = (of_fluid == FLUID).astype(np.uint8)
    write = DOORS[door]
    np.testing.assert_array_equal(left_out(write(tmp_path, BLANK, mask=mask)()), ~FLUID)
    asked = write(tmp_path, FILLED, mask=mask)
    with pytest.raises(
        OptionError, match=r"'mask' is 0 at .* and 1 at .* of 35 velocities.*valid[ =]'mask==1' or "
    ) as told:
        asked()
    assert "\n" not in str(told.value)
    np.testing.assert_array_equal(left_out(asked(valid=f"mask=={int(of_fluid)}")), ~FLUID)
    for constant in (0, 1):
        assert not left_out(write(tmp_path, FILLED, mask=np.full(35, constant, np.uint8))()).any()


@pytest.mark.parametrize("door", ATTRIBUTED)
@pytest.mark.parametrize("unsaid", [0, 1])
def test_flag_meanings_decide(door, unsaid, tmp_path):
    """Land is hidden whatever its number, named mask or not, and bits as well."""
    land = 3 if unsaid else 0
    values = np.where(FLUID, 1, land).astype(np.int8)
    about = {"flag_values": np.array([land, 1], np.int8), "flag_meanings": "land water"}
    for name in ("mask", "mask_rho", "surface"):
        flow = DOORS[door](tmp_path, FILLED, {name: about}, **{name: values})()
        np.testing.assert_array_equal(left_out(flow), ~FLUID)
    bits = np.where(FLUID, 4, 4 | 2).astype(np.int8)
    about = {"flag_masks": np.array([1, 2, 4], np.int8), "flag_meanings": "ice land calm"}
    np.testing.assert_array_equal(left_out(DOORS[door](tmp_path, FILLED, {"b": about}, b=bits)()), ~FLUID)
    standard = {"mask": {"standard_name": "sea_binary_mask"}}
    flow = DOORS[door](tmp_path, FILLED, standard, mask=FLUID.astype(np.int8))()
    np.testing.assert_array_equal(left_out(flow), ~FLUID)


@pytest.mark.parametrize("door", ATTRIBUTED)
def test_wind_over_land_and_flags_of_other_arrays_stay(door, tmp_path):
    wind = {"u": {"standard_name": "eastward_wind"}, "lsm": {"standard_name": "land_binary_mask"}}
    assert not left_out(DOORS[door](tmp_path, FILLED, wind, lsm=(~FLUID).astype(np.int8))()).any()
    quality = {"flag_values": np.array([1, 4], np.int8), "flag_meanings": "good_data bad_data"}
    marks = np.where(FLUID, 1, 4).astype(np.int8)
    assert not left_out(DOORS[door](tmp_path, FILLED, {"T_qc": quality}, T_qc=marks)()).any()
    own = {"q": quality, "u": {"ancillary_variables": "q"}}
    np.testing.assert_array_equal(left_out(DOORS[door](tmp_path, FILLED, own, q=marks)()), ~FLUID)


def test_conditions_are_over_several_arrays_and_override_flags(tmp_path):
    snr = PLACES[:, 1]
    given = csv(tmp_path, FILLED, chc=np.where(FLUID, 1, 0), snr=snr)
    flow = given(valid="chc>0 and snr>0.6 or snr==0")
    np.testing.assert_array_equal(left_out(flow), ~((FLUID & (snr > 0.6)) | (snr == 0)))
    assert not left_out(given(valid="chc>=0")).any()
    np.testing.assert_array_equal(left_out(given(valid="not (mag(snr)>1)")), snr > 1)
    assert "by --valid chc>=0" in " ".join(given(valid="chc>=0").notes)


@pytest.mark.parametrize(
    ("valid", "said"),
    [
        ("chc", "write a comparison such as chc==1"),
        ("chc=1", "'=' is not allowed: write it with names of arrays"),
        ("chk==1", "unknown name 'chk' - did you mean 'chc'|unknown name 'chk'"),
        ("chc==1+(u>0)", "calculates with a comparison"),
        ("__import__('os').system('true')==0", "is not allowed"),
        ("1==1", "names no array"),
        ("chc and u>0", "joins what is no comparison by 'and'"),
        ("(" * 80 + "chc" + ")" * 80 + "==1", "more than 50 parentheses"),
        ("chc" + "+1" * 20000 + "==1", "characters: write at most"),
    ],
)
def test_what_is_no_condition_is_refused_in_one_line(valid, said, tmp_path):
    with pytest.raises(OptionError, match=said) as told:
        csv(tmp_path, FILLED, chc=FLUID.astype(int))(valid=valid)
    assert str(told.value).count("\n") == 0
    assert "--valid" in str(told.value)


L = np.array([[0.3, -1.2, 0.7], [2.1, -0.4, 0.5], [-0.6, 0.9, 0.1]])


@pytest.mark.parametrize("location", ["points", "cells"])
def test_solids_of_meshes_take_no_part(location, tmp_path):
    """Velocities in a solid are wrong; where there is fluid L is that of a linear field to rounding."""
    mesh = meshes.solid("tetra", 5)
    at = mesh.points if location == "points" else mesh.centroids
    solid = np.linalg.norm(at - at.mean(axis=0), axis=1) < 1.2
    velocity = np.where(solid[:, None], 0.0, at @ L.T)
    data = {"U": velocity, "phase id": solid.astype(float)}
    write_vtu(tmp_path / "a.vtu", mesh, *((data, {}) if location == "points" else ({}, data)))
    flow = read(tmp_path / "a.vtu", valid='"phase id"<0.5')
    np.testing.assert_array_equal(np.isnan(flow.velocity).all(axis=1), solid)
    gradient = flowgrad.velocity_gradient(flow)
    assert not gradient.valid[solid].any()
    assert gradient.valid[~solid].mean() > 0.9
    good = gradient.L[gradient.valid]
    np.testing.assert_allclose(good, np.broadcast_to(L, good.shape), atol=1e-10)
    assert f"{solid.sum()} by --valid" in " ".join(gradient.notes)


def test_solids_are_left_out_where_they_are_blank_alone(tmp_path):
    solid = (~FLUID).astype(float)
    np.testing.assert_array_equal(left_out(csv(tmp_path, BLANK, solid=solid)()), ~FLUID)
    assert not left_out(csv(tmp_path, FILLED, solid=solid)()).any()


def test_results_of_flowgrad_keep_their_velocity(tmp_path):
    holes = np.where(FLUID[:, None], SHEAR, np.nan)
    flow = Flow(Mesh(PLACES, LATTICE.cells), holes, "points")
    flowgrad.write(tmp_path / "a.vtu", flowgrad.velocity_gradient(flow))
    assert not read(tmp_path / "a.vtu").notes


@pytest.mark.parametrize("name", ["mask", "chc"])
@pytest.mark.parametrize("suffix", [".nc", ".vti"])
def test_blocks_are_the_whole(name, suffix, tmp_path):
    def write(velocity):
        flag = FLUID.astype(np.uint8)
        if suffix == ".nc":
            netcdf(tmp_path, velocity, **{name: flag})
        else:
            write_image(tmp_path / "a.vti", (7, 5, 1), {"velocity": velocity, name: flag})

    write(BLANK)
    path = tmp_path / f"a{suffix}"
    for options in (Options(block_memory="1"), Options(block_memory="1", valid=f"{name}==0")):
        found, whole = run_in_blocks(path, tmp_path / "out", options), analyse(path, options)
        (note,) = (each for each in whole.gradient.notes if "as no measurement are left out" in each)
        assert ("by --valid" if options.valid else f"by '{name}'") in note
        assert note in found.summary["gradient"]["notes"]
        assert found.summary["gradient"]["excluded"] == whole.summary()["gradient"]["excluded"]
    if name == "mask":
        write(FILLED)
        with pytest.raises(OptionError, match="--valid 'mask==1'"):
            run_in_blocks(path, tmp_path / "out", Options(block_memory="1"))
