"""Case folders, whole and decomposed: a channel with known values, and a tutorial case against its VTU."""

from __future__ import annotations

import re
import shutil
import tarfile
from pathlib import Path

import numpy as np
import pytest

import flowgrad
from flowgrad import read
from flowgrad.io import read_contents

HEAD = "FoamFile\n{{\n    version 2.0;\n    format ascii;\n    class {kind};\n    object {name};\n}}\n"
# A channel of 3 × 2 × 1 cells, 1 × 1 × 0.5 each.
NX, NY = 3, 2


def foam(path: Path, kind: str, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(HEAD.format(kind=kind, name=path.name) + text)


def listed(rows) -> str:
    return f"{len(rows)}\n(\n" + "\n".join(map(str, rows)) + "\n)\n"


def vectors(rows) -> str:
    return listed([f"({' '.join(map(repr, map(float, row)))})" for row in rows])


def mesh(case: Path, columns: range, neighbours: dict[int, str]) -> None:
    """The polyMesh of some columns of cells; faces at x in ``neighbours`` are a patch of another processor."""
    nx = len(columns)

    def point(i, j, k):
        return (i - columns.start) + (nx + 1) * (j + (NY + 1) * k)

    def cell(i, j):
        return (i - columns.start) + nx * j

    inner, patches = [], {name: [] for name in ("inlet", "outlet", "walls", "sides", *neighbours.values())}
    for j in range(NY):
        for i in range(columns.start, columns.stop + 1):
            face = [point(i, j, 0), point(i, j + 1, 0), point(i, j + 1, 1), point(i, j, 1)]
            if columns.start < i < columns.stop:
                inner.append((cell(i - 1, j), cell(i, j), face))
            elif i == columns.start:
                patches[neighbours.get(i, "inlet")].append((cell(i, j), face[::-1]))
            else:
                patches[neighbours.get(i, "outlet")].append((cell(i - 1, j), face))
    for i in columns:
        for j in range(NY + 1):
            face = [point(i, j, 0), point(i, j, 1), point(i + 1, j, 1), point(i + 1, j, 0)]
            if 0 < j < NY:
                inner.append((cell(i, j - 1), cell(i, j), face))
            else:
                patches["walls"].append((cell(i, 0 if j == 0 else NY - 1), face if j else face[::-1]))
        for j in range(NY):
            low = [point(i, j, 0), point(i, j + 1, 0), point(i + 1, j + 1, 0), point(i + 1, j, 0)]
            high = [point(i, j, 1), point(i + 1, j, 1), point(i + 1, j + 1, 1), point(i, j + 1, 1)]
            patches["sides"] += [(cell(i, j), low), (cell(i, j), high)]
    inner.sort(key=lambda each: each[:2])
    outer = [each for faces in patches.values() for each in faces]
    folder = case / "constant/polyMesh"
    points = [(i, j, 0.5 * k) for k in (0, 1) for j in range(NY + 1) for i in range(columns.start, columns.stop + 1)]
    faces = [f"4({' '.join(map(str, face))})" for *_, face in (*inner, *outer)]
    foam(folder / "points", "vectorField", vectors(points))
    foam(folder / "faces", "faceList", listed(faces))
    foam(folder / "owner", "labelList", listed([each[0] for each in (*inner, *outer)]))
    foam(folder / "neighbour", "labelList", listed([each[1] for each in inner]))
    entries, start = [], len(inner)
    for name, each in patches.items():
        kind = "empty" if name == "sides" else "processor" if name.startswith("proc") else "patch"
        entries.append(f"{name} {{ type {kind}; nFaces {len(each)}; startFace {start}; }}")
        start += len(each)
    foam(folder / "boundary", "polyBoundaryMesh", listed(entries))


def velocity(i: int, j: int, time: float) -> tuple[float, float, float]:
    return (j + 0.5) * time, 0.1 * (i + 0.5), 0.0


def fields(case: Path, columns: range, neighbours: dict[int, str], time: str) -> None:
    centres = [(i, j) for j in range(NY) for i in columns]
    u = vectors([velocity(i, j, float(time)) for i, j in centres])
    patches = {
        "inlet": "fixedValue; value uniform (1 2 3)",
        "outlet": "zeroGradient",
        "walls": "noSlip",
        "sides": "empty",
    }
    patches |= dict.fromkeys(neighbours.values(), "processor; value uniform (0 0 0)")
    text = "\n".join(f"{name} {{ type {about}; }}" for name, about in patches.items())
    foam(
        case / time / "U",
        "volVectorField",
        f"dimensions [0 1 -1 0 0 0 0];\ninternalField nonuniform List<vector>\n{u};\nboundaryField\n{{\n{text}\n}}\n",
    )
    s = listed(["(1 2 3 4 5 6)"] * len(centres))
    text = re.sub(r"type \w+; value uniform [^;]*;|type \w+;", "type calculated; value uniform (1 2 3 4 5 6);", text)
    text = re.sub(r"sides \{[^}]*\}", "sides { type empty; }", text)
    foam(
        case / time / "sigma",
        "volSymmTensorField",
        f"dimensions [0 2 -2 0 0 0 0];\ninternalField nonuniform "
        f"List<symmTensor>\n{s};\nboundaryField\n{{\n{text}\n}}\n",
    )


def channel(folder: Path, decomposed: bool) -> Path:
    foam(
        folder / "system/controlDict", "dictionary", "application icoFoam;\nstartTime 0;\ndeltaT 1;\nwriteInterval 1;\n"
    )
    parts = {"": (range(NX), {})}
    if decomposed:
        parts = {
            "processor0": (range(2), {2: "procBoundary0to1"}),
            "processor1": (range(2, NX), {2: "procBoundary1to0"}),
        }
    for name, (columns, neighbours) in parts.items():
        mesh(folder / name, columns, neighbours)
        for time in ("0", "0.5", "2"):
            fields(folder / name, columns, neighbours, time)
    (folder / "case.foam").touch()
    return folder / "case.foam"


@pytest.mark.parametrize("decomposed", [False, True])
def test_a_channel(tmp_path, decomposed):
    path = channel(tmp_path, decomposed)
    series = flowgrad.read_series(path)
    assert len(series) == 2
    flow = series[1]
    assert (flow.time, flow.location, flow.producer) == (2, "cells", "OpenFOAM")
    assert flow.mesh.type_counts() == {"hexahedron": NX * NY}
    assert flow.mesh.point_count == 2 * (NX + 1) * (NY + 1)
    x, y, z = flow.mesh.centroids.T
    np.testing.assert_allclose(flow.velocity, np.column_stack([2 * y, 0.1 * x, 0 * z]), rtol=1e-6)
    np.testing.assert_allclose(flow.mesh.measures, 0.5)
    named = {patch.name: patch.velocity for patch in flow.boundary}
    assert {name: len(values) for name, values in named.items()} == {"inlet": NY, "outlet": NY, "walls": 2 * NX}
    np.testing.assert_array_equal(named["inlet"], [[1, 2, 3]] * NY)
    np.testing.assert_array_equal(named["walls"], np.zeros((2 * NX, 3)))
    # XX XY XZ YY YZ ZZ in the file, XX YY ZZ XY YZ XZ here.
    np.testing.assert_array_equal(flow.cell_data["sigma"], [[1, 4, 6, 2, 5, 3]] * (NX * NY))


def test_the_offset_cylinder_is_that_of_its_vtu(tmp_path, data_folder):
    with tarfile.open(data_folder / "offsetCylinder.tar.xz") as archive:
        # Python 3.11 has the filter since 3.11.4.
        archive.extractall(tmp_path, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))
    (tmp_path / "offsetCylinder/case.foam").touch()
    flow = read(tmp_path / "offsetCylinder/case.foam")
    theirs = read(data_folder / "offsetCylinder.vtu", boundary="boundary/{stem}/*.vtp")
    assert flow.time == theirs.time
    # Their VTU has single precision, the case the digits that the solver wrote.
    np.testing.assert_allclose(flow.velocity, theirs.velocity, rtol=1e-6, atol=1e-9)
    assert not np.array_equal(flow.velocity, flow.velocity.astype(np.float32))
    np.testing.assert_allclose(flow.mesh.centroids, theirs.mesh.centroids, atol=1e-6)
    for name in ("grad(U)", "nu", "p", "vorticity"):
        np.testing.assert_allclose(flow.cell_data[name], theirs.cell_data[name], rtol=1e-6, atol=1e-12)
    ours = {patch.name: patch for patch in flow.boundary}
    assert set(ours) == {patch.name for patch in theirs.boundary}
    for patch in theirs.boundary:
        assert len(ours[patch.name].faces) == len(patch.faces)
        np.testing.assert_allclose(np.sort(ours[patch.name].velocity, axis=0), np.sort(patch.velocity, axis=0))
    gradients = [flowgrad.velocity_gradient(each).L for each in (flow, theirs)]
    np.testing.assert_allclose(*gradients, atol=1e-4 * np.abs(gradients[0]).max())


def test_one_time_of_several(tmp_path):
    flow = read(channel(tmp_path, True), time=0.5)
    np.testing.assert_allclose(flow.velocity[:, 0], 0.5 * flow.mesh.centroids[:, 1], rtol=1e-6)


def test_missing_parts_are_named(tmp_path, refused):
    path = channel(tmp_path, True)
    shutil.rmtree(tmp_path / "processor0")
    with refused(path, "beside processor1: some processors are missing"):
        read_contents(path)
    shutil.rmtree(tmp_path / "processor1")
    with refused(path, "without constant/polyMesh"):
        read_contents(path)
    mesh(tmp_path, range(NX), {})
    with refused(path, "without results"):
        read_contents(path)


@pytest.mark.parametrize("name", ["points", "faces", "owner", "neighbour"])
def test_damaged_meshes(tmp_path, refused, name):
    path = channel(tmp_path, False)
    file = tmp_path / "constant/polyMesh" / name
    file.write_text(file.read_text()[:-60])
    with refused(path, ": "):
        read_contents(path)
