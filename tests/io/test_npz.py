from __future__ import annotations

import contextlib
import zipfile
from pathlib import Path

import numpy as np
import pytest

from flowgrad import FlowgradError, Lattice, read
from flowgrad.io import read_contents

X, Y, Z = np.linspace(0, 1, 5), np.linspace(0, 2, 4), np.linspace(0, 3, 3)
PLANE = dict(zip("xy", np.meshgrid(X, Y), strict=True))
SPACE = dict(zip("xyz", np.meshgrid(X, Y, Z, indexing="ij"), strict=True))


def velocity(x, y, z=0.0):
    return {"u": 0.5 * y + z, "v": -0.25 * x + 0 * y, **({"w": 0 * x + y} if np.ndim(z) else {})}


BENT = {"x": SPACE["x"] + 0.1 * SPACE["y"] ** 2, "y": SPACE["y"] + 0.05 * SPACE["z"] ** 2, "z": SPACE["z"]}
FORMS = {
    "meshgrid": {**PLANE, **velocity(**PLANE)},
    "ij": {k: v.T for k, v in {**PLANE, **velocity(**PLANE)}.items()},
    "columns": {k: v.ravel() for k, v in {**PLANE, **velocity(**PLANE)}.items()},
    "axes": {"x": X, "y": Y, **velocity(**PLANE)},
    "axes, turned": {"x": X, "y": Y, **{k: v.T for k, v in velocity(**PLANE).items()}},
    "axes in space": {"x": X, "y": Y, "z": Z, **velocity(**SPACE)},
    "bent": {**BENT, **velocity(**BENT)},
    "bent, turned": {k: v.T for k, v in {**BENT, **velocity(**BENT)}.items()},
    "one array": {**PLANE, "velocity": np.stack([*velocity(**PLANE).values()], axis=-1)},
    "points": {
        "points": np.column_stack([each.ravel() for each in BENT.values()]),
        "velocity": np.column_stack([each.ravel() for each in velocity(**BENT).values()]),
        "t": 0.5,
    },
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_forms(tmp_path, form, save):
    save(tmp_path / "a.npz", **FORMS[form])
    flow = read(tmp_path / "a.npz")
    x, y, z = flow.mesh.points.T
    in_space = {"bent", "bent, turned", "axes in space", "points"}
    expected = velocity(x, y, z if form in in_space else 0.0)
    for a, values in enumerate(expected.values()):
        np.testing.assert_allclose(flow.velocity[:, a], values, atol=1e-15)
    assert isinstance(flow.mesh, Lattice) == (form != "points")
    if form != "points":
        assert (flow.mesh.signed_measures > 0).all()
    assert flow.time == (0.5 if form == "points" else None)


def test_cells_and_arrays_on_them(tmp_path):
    points = [[0, 0], [1, 0], [1, 1], [0, 1.0]]
    arrays = {"velocity": np.arange(8.0).reshape(4, 2), "p": [1.0, 2.0]}
    np.savez(tmp_path / "a.npz", points=points, cells=[[0, 1, 2], [0, 2, 3]], **arrays)
    contents = read_contents(tmp_path / "a.npz")
    assert contents.mesh.type_counts() == {"triangle": 2}
    assert contents.cell_data["p"].tolist() == [1, 2]
    assert contents.point_data["velocity"].tolist() == np.arange(8.0).reshape(4, 2).tolist()


def test_masks_are_honoured(tmp_path):
    np.savez(tmp_path / "a.npz", **FORMS["meshgrid"], mask=PLANE["x"] > 0.9)
    flow = read(tmp_path / "a.npz", valid="mask==0")
    np.testing.assert_array_equal(np.isnan(flow.velocity).all(axis=1), flow.mesh.points[:, 0] > 0.9)


BAD = {
    "square": ({"x": X, "y": X, "u": np.ones((5, 5))}, "does not follow; save x and y of every point"),
    "no positions": ({"u": X, "v": X}, "no 'points' and no 'x' and 'y' among u, v"),
    "no velocity": ({"x": X, "y": X}, "no other array"),
    "shapes": ({**PLANE, "u": np.ones((4, 4))}, r"'u' has the shape \(4, 4\) and the positions \(4, 5\)"),
    "objects": ({**PLANE, "u": np.array([{}, None], object)}, "'u.npy' holds Python objects"),
    "complex": ({**PLANE, "u": PLANE["x"] * 1j}, "'u' is complex"),
    "rows": ({"points": np.ones((3, 2)), "velocity": np.ones((4, 2))}, "one row for each of 3 points"),
    "point numbers": ({"points": np.eye(3)[:, :2], "cells": [[0, 1, 3]], "u": np.ones(3)}, "names point 3"),
    "cells": ({"points": np.eye(3), "cells": [[0.0, 1, 2]], "u": np.ones(3)}, "'cells' is float64"),
}


@pytest.mark.parametrize("form", BAD)
def test_what_is_not_clear_is_refused(tmp_path, refused, form):
    arrays, message = BAD[form]
    np.savez(tmp_path / "a.npz", **arrays)
    with refused(tmp_path / "a.npz", message):
        read_contents(tmp_path / "a.npz")


def test_declared_sizes_are_checked_first(tmp_path, refused):
    np.savez(tmp_path / "a.npz", **FORMS["columns"])
    path = tmp_path / "b.npz"
    with zipfile.ZipFile(tmp_path / "a.npz") as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            # As many characters, another number of values.
            new.writestr(name, old.read(name).replace(b"(20,), }           ", b"(2000000000000,), }"))
    with refused(path, "declares 16000000000000 bytes and has 160"):
        read_contents(path)
    np.savez_compressed(path, x=np.zeros(20_000_000), y=np.zeros(20_000_000), u=X)
    with refused(path, "declares 160000128: damaged, or a bomb"):
        read_contents(path)


def test_damaged_anywhere(tmp_path):
    path = tmp_path / "a.npz"
    np.savez_compressed(path, **FORMS["meshgrid"])
    whole = read_contents(path)
    data, rng = path.read_bytes(), np.random.default_rng(0)
    for length in np.linspace(0, len(data) - 1, 50).astype(int):
        path.write_bytes(data[:length])
        with pytest.raises(FlowgradError, match=r"a\.npz: "):
            read_contents(path)
    for _ in range(150):
        changed = bytearray(data)
        for place in rng.integers(0, len(data), rng.integers(1, 4)):
            changed[place] = rng.integers(256)
        path.write_bytes(bytes(changed))
        _reads_the_same_or_refuses(path, whole)


def _reads_the_same_or_refuses(path: Path, whole) -> None:
    with contextlib.suppress(FlowgradError):
        # The checksums leave nothing but names to change.
        np.testing.assert_array_equal(read_contents(path).mesh.points, whole.mesh.points)
