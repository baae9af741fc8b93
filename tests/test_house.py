"""Structure of the package: no circle of imports, one home for each class name, short routes, docstrings that begin
with a term."""

from __future__ import annotations

import ast
import collections
import itertools
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

import flowgrad
from flowgrad.cli import main

PACKAGE = Path(flowgrad.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))
TREES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in FILES}
QUESTIONS = {"What", "How", "Which", "Where", "Whether", "Who", "When", "Why"}


def module_of(path):
    """The dotted name of a file of the package."""
    return ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")


MODULES = {module_of(path): number for number, path in enumerate(FILES)}


def imported(tree):
    """The modules of the package that a file imports anywhere: at its top, in functions, for types alone."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for each in node.names:
                inner = f"{node.module}.{each.name}"
                yield inner if inner in MODULES else node.module


def test_no_imports_go_in_circles():
    pairs = [
        (MODULES[module_of(path)], MODULES[name])
        for path, tree in TREES.items()
        for name in imported(tree)
        if name in MODULES and name != module_of(path)
    ]
    rows, columns = np.array(pairs).T
    graph = csr_array((np.ones(len(rows)), (rows, columns)), shape=(len(FILES), len(FILES)))
    count, groups = connected_components(graph, connection="strong")
    circles = [[name for name, number in MODULES.items() if groups[number] == group] for group in range(count)]
    assert not [circle for circle in circles if len(circle) > 1]


def test_no_class_name_stands_in_two_files():
    homes = collections.defaultdict(set)
    for path, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                homes[node.name].add(module_of(path))
    assert not {name: sorted(where) for name, where in homes.items() if len(where) > 1}


def test_no_docstring_of_a_module_begins_with_a_question():
    first = {module_of(path): (ast.get_docstring(tree) or "").partition(" ")[0] for path, tree in TREES.items()}
    assert not [name for name, word in first.items() if word in QUESTIONS or not word]


def entered(call):
    """The files of the package that a call enters, when it is not the first of its kind: nothing is imported."""
    found = set()

    def note(frame, event, argument):
        code = frame.f_code
        if event == "call" and code.co_filename.startswith(str(PACKAGE)) and not code.co_name.startswith("<"):
            found.add(code.co_filename)

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        call()
    finally:
        sys.setprofile(before)
    return sorted(str(Path(each).relative_to(PACKAGE)) for each in found)


def tetrahedra(location):
    """A simple shear on 750 tetrahedra; each call a mesh of which nothing is known yet."""
    places = np.linspace(0, 1, 6)
    points = np.stack(np.meshgrid(places, places, places, indexing="ij"), -1).reshape(-1, 3)
    index = np.arange(216).reshape(6, 6, 6)
    low, high = slice(None, -1), slice(1, None)
    corners = [(low, low, low), (high, low, low), (high, high, low), (low, high, low)]
    corners += [(low, low, high), (high, low, high), (high, high, high), (low, high, high)]
    cubes = np.stack([index[each].ravel() for each in corners], axis=1)
    ring = (1, 2, 3, 7, 4, 5, 1)
    cells = np.concatenate([cubes[:, [0, a, b, 6]] for a, b in itertools.pairwise(ring)])
    sites = points if location == "points" else points[cells].mean(axis=1)
    velocity = sites[:, [1, 0, 0]] * [1, 0, 0]
    return flowgrad.Flow.from_arrays(points, {"tetra": cells}, velocity, location)


LAW = "carreau(eta0=1,eta_inf=0.1,lam=2,n=0.5)"


@pytest.mark.parametrize(
    ("location", "scheme", "most"), [("points", "auto", 13), ("points", "autodiff", 8), ("cells", "auto", 14)]
)
def test_a_gradient_enters_few_files(location, scheme, most):
    flowgrad.velocity_gradient(tetrahedra(location), scheme)
    flow = tetrahedra(location)
    flow = flowgrad.Flow(flowgrad.Mesh(flow.mesh.points, flow.mesh.cells), flow.velocity, flow.location)
    found = entered(lambda: flowgrad.velocity_gradient(flow, scheme))
    assert len(found) <= most, found


def test_reading_enters_few_files(data):
    path = data / "pitzDaily.vtu"
    flowgrad.read(path)
    found = entered(lambda: flowgrad.read(path))
    assert len(found) <= 11, found


def test_a_sentence_enters_few_files():
    gradient = flowgrad.velocity_gradient(tetrahedra("cells"))
    assert flowgrad.separate(gradient, viscosity=LAW).sentence
    found = entered(lambda: flowgrad.separate(gradient, viscosity=LAW).sentence)
    assert len(found) <= 13, found


def test_a_run_enters_few_files(data, tmp_path):
    command = ["run", str(data / "pitzDaily.vtu"), "-q", "-o"]
    main([*command, str(tmp_path / "first")])
    found = entered(lambda: main([*command, str(tmp_path / "second")]))
    assert len(found) <= 67, found
