"""Results show the numbers that matter: in a line without their arrays, in a notebook as a table."""

import dataclasses
import importlib
import pkgutil
from html.parser import HTMLParser

import numpy as np
import pytest

import flowgrad
from flowgrad.reprs import ReprMixin, in_line, in_table

# Where results and what they hold live; the structs of kernels and schemes are nobody's result.
PACKAGES = (
    *("mesh", "flow", "kinematics", "rheology", "separation", "momentum", "rheometer", "walls", "statistics", "paths"),
    *("pipeline.analysis", "series"),
)
# Of these the arrays are fields that no user meets.
INSIDE = {
    *("LatticeOf", "Structure", "Wedge", "SitedMesh", "LagrangeType", "Family", "ReferenceCell", "Chosen"),
    *(
        "PathPlane",
        "SplineAxis",
        "Simplices",
        "Pieces",
        "BoxTree",
        "Nodes",
        "FlowSamples",
        "Equations",
        "Balance",
        "Balls",
    ),
    *("SmoothWall", "FaceSites", "OpenFaces", "NodeSet", "Layer", "Tractions", "Operator", "Modes"),
    *("Minima", "Optimum", "FitData", "Bump", "Examined", "Measured", "Table", "Group", "Reading"),
}


def results():
    """The public dataclasses with arrays."""
    found = {}
    for package in PACKAGES:
        root = importlib.import_module(f"flowgrad.{package}")
        names = [each.name for each in pkgutil.walk_packages(getattr(root, "__path__", []), f"{root.__name__}.")]
        for module in (root, *map(importlib.import_module, names)):
            found |= {name: kind for name, kind in vars(module).items() if has_arrays(name, kind)}
    return {name: kind for name, kind in found.items() if name not in INSIDE}


def has_arrays(name, kind):
    if name.startswith("_") or not isinstance(kind, type) or not dataclasses.is_dataclass(kind):
        return False
    return any("Array" in str(field.type) for field in dataclasses.fields(kind) if field.repr)


@pytest.mark.parametrize(("name", "kind"), results().items())
def test_no_result_prints_its_arrays(name, kind):
    assert issubclass(kind, ReprMixin), f"{name} prints its arrays: make it a Shown"


class Cells(HTMLParser):
    """The texts of a page, and the tags that would ask for something from elsewhere."""

    def __init__(self, page):
        super().__init__()
        self.texts, self.outside, self.open = [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        self.outside += [tag for name, _ in attrs if name in ("src", "href")] + [tag] * (tag in ("script", "link"))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


def shown(result):
    assert len(repr(result)) < 600
    assert "\n" not in repr(result)
    page = Cells(result._repr_html_())
    assert not page.outside
    assert not page.open
    return " ".join(page.texts)


@pytest.fixture(scope="module")
def flow(data):
    return flowgrad.read(data / "offsetCylinder.vtu", boundary="boundary/{stem}/*.vtp")


def test_a_flow_and_what_follows_from_it(flow):
    assert "offsetCylinder.vtu" in shown(flow)
    assert "1800" in shown(flow.mesh)
    gradient = flowgrad.velocity_gradient(flow)
    assert "0.04714 … 11.52" in shown(gradient)
    separation = flowgrad.separate(gradient, viscosity="nu_ofU")
    assert "shear-thickening" in shown(separation)
    assert "no-stress-known" in shown(flowgrad.separate(gradient))
    assert "cylinder; down; up" in shown(flowgrad.at_walls(flow, viscosity="nu_ofU"))
    assert "offsetCylinder" in shown(flowgrad.Series.from_flows([flow, flow]))


def test_a_gradient_of_nothing():
    assert "0 values" in shown(flowgrad.VelocityGradient(np.zeros((0, 3, 3))))
    assert "3 values, 3 missing" in shown(flowgrad.VelocityGradient(np.full((3, 3, 3), np.nan)))


def test_fits_and_what_was_identified(flow):
    rate = np.geomspace(0.1, 100, 12)
    assert "yield-stress" in shown(flowgrad.fit_flow_curve(rate, 2 + rate**0.5))
    assert "100000" in repr(flowgrad.Cells.of_type(10, np.zeros((100000, 4))))


def test_names_from_files_are_text():
    mesh = flowgrad.Mesh(np.eye(3), flowgrad.Cells.empty())
    flow = flowgrad.Flow(mesh, np.eye(3), "points", velocity_name="<script>alert(1)</script>")
    assert "<script>" not in flow._repr_html_()
    assert "<script>alert(1)</script>" in shown(flow)


def test_values_in_a_line_and_in_a_table():
    assert in_line(np.zeros((1000, 3))) == "float64[1000, 3]"
    assert in_line("x" * 100) == repr("x" * 59 + "…")
    assert in_line(dict.fromkeys(range(9))) == "9 entries"
    assert in_table(np.array([[3.0, 4.0], [np.nan, 0]])) == "5 … 5 (sizes of 2, 1 missing)"
    assert in_table(np.array([np.nan])) == "1 values, 1 missing"
    assert in_table(np.empty((0, 3, 3))) == in_table(np.empty(0)) == "0 values"
    assert in_table(None) == in_table(np.nan) == "–"


def test_a_lattice_does_not_make_its_points_to_show_itself():
    lattice = flowgrad.Lattice.uniform((10_000, 10_000, 10_000))
    assert "10000" in shown(lattice)
