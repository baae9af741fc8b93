"""Zones of elements in Tecplot's ASCII files: all of them, in the forms in which programs write them."""

from __future__ import annotations

import numpy as np
import pytest

import flowgrad
from flowgrad import velocity_gradient
from flowgrad.io import read_contents
from flowgrad.io.formats import steps_of

A = np.array([[1.0, 2, -0.5], [0.3, -3, 1], [0.2, 0.7, 2]])
CUBE = np.array([[x, y, z] for z in (0.0, 1) for y in (0.0, 1) for x in (0.0, 1)]) + np.array([10, 20, 30])
BRICK = [1, 2, 4, 3, 5, 6, 8, 7]
TETRA = [[1, 2, 4, 6], [1, 4, 3, 7], [1, 6, 7, 5], [4, 7, 6, 8], [1, 4, 7, 6]]
HEAD = 'TITLE = "t"\nVARIABLES = "X", "Y", "Z"\n"U" "V" "W"\n'


def rows(shift=(0.0, 0, 0), scale=1.0) -> str:
    x = CUBE + shift
    return "\n".join(" ".join(map(repr, each)) for each in np.hstack([x, scale * x @ A.T]).tolist()) + "\n"


def connected(elements) -> str:
    return "\n".join(" ".join(map(str, each)) for each in elements) + "\n"


def zone(elements, kind, shift=(0.0, 0, 0), more="", scale=1.0) -> str:
    head = f'ZONE T="a", N=8, E={len(elements)}, F=FEPOINT, ET={kind} {more}\n'
    return head + rows(shift, scale) + connected(elements)


def check(path, count):
    flow = flowgrad.read(path)
    assert len(flow.mesh) == count
    found = velocity_gradient(flow, "autodiff")
    np.testing.assert_allclose(found.L, np.broadcast_to(A, found.L.shape), atol=1e-12)
    return flow


def test_all_zones_are_one_mesh(tmp_path):
    text = HEAD + zone(TETRA, "TETRAHEDRON") + "\n" + zone([BRICK], "BRICK", (1.0, 0, 0))
    (tmp_path / "a.dat").write_text(text)
    assert check(tmp_path / "a.dat", 6).mesh.cells.types.tolist() == [10] * 5 + [12]


def test_small_letters_blank_lines_comments_and_blocks(tmp_path):
    x = np.hstack([CUBE, CUBE @ A.T])
    block = "\n".join(" ".join(map(repr, column)) for column in x.T.tolist())
    (tmp_path / "a.tec").write_text(
        'title = "t"\n\nvariables = x y z u v w p\n# a comment\nzone nodes=8, elements=5\n datapacking=block, '
        "zonetype=fetetrahedron\n varlocation=([7]=cellcentered)\n\n" + block + "\n1 2 3 4 5\n\n" + connected(TETRA)
    )
    assert check(tmp_path / "a.tec", 5).cell_data["p"].tolist() == [1, 2, 3, 4, 5]


def test_times_of_zones_are_steps(tmp_path):
    zones = [zone(TETRA, "TETRAHEDRON", more=f"STRANDID=1, SOLUTIONTIME={t}", scale=t) for t in (2.0, 1.0)]
    (tmp_path / "a.dat").write_text(HEAD + "".join(zones))
    assert [step.time for step in steps_of(tmp_path / "a.dat")] == [1, 2]
    found = velocity_gradient(flowgrad.read(tmp_path / "a.dat"), "autodiff").L
    np.testing.assert_allclose(found, np.broadcast_to(2 * A, found.shape), atol=1e-12)


@pytest.mark.parametrize(
    ("element", "vtk_type"),
    [
        ([1, 2, 4, 4, 5, 5, 5, 5], 10),
        ([1, 2, 4, 3, 5, 5, 5, 5], 14),
        ([1, 2, 3, 3, 5, 6, 7, 7], 13),
        (BRICK, 12),
    ],
)
def test_bricks_with_repeated_nodes(tmp_path, element, vtk_type):
    (tmp_path / "a.dat").write_text(HEAD + zone([element], "BRICK"))
    flow = flowgrad.read(tmp_path / "a.dat")
    assert flow.mesh.cells.types.tolist() == [vtk_type]
    assert flow.mesh.signed_measures[0] != 0
    L = velocity_gradient(flow, "autodiff", at="cells").L
    np.testing.assert_allclose(L, np.broadcast_to(A, (1, 3, 3)), atol=1e-12)


WHOLE = HEAD + zone(TETRA, "TETRAHEDRON")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (WHOLE[:-9], "numbers in a zone of 8 nodes, 5 elements of 4 nodes and 6 variables, which are 68"),
        (WHOLE + "ZONE N=8, E=1, F=FEPOINT, ET=BRICK\n", "no numbers after: the file was cut off"),
        (WHOLE.replace("1 4 7 6", "1 4 7 9"), "elements with nodes that are not of the 8"),
        (WHOLE.replace("TETRAHEDRON", "FEPOLYHEDRON"), "zone of the type 'POLYHEDRON'"),
        (WHOLE.replace("N=8", "N=8, VARSHARELIST=([1-3]=1)"), "with VARSHARELIST, which is not read"),
        (WHOLE.replace("N=8", "N=x"), "with N = 'x': give the number"),
        (WHOLE + "ZONE I=2\n1 2 3 4 5 6\n1 2 4 4 5 6\n", "zone of the type 'ordered' beside ones of elements"),
        (WHOLE.replace('"U"', '"X"'), "each needs a name of its own"),
    ],
)
def test_what_is_refused(tmp_path, refused, text, message):
    (tmp_path / "a.dat").write_text(text)
    with refused(tmp_path / "a.dat", message):
        read_contents(tmp_path / "a.dat")
