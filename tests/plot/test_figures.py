"""Figures draw whatever the data are, without a warning, and say what the records say."""

import itertools

import numpy as np
import pytest
from matplotlib.collections import PolyCollection, TriMesh

from flowgrad import (
    QUANTITIES,
    Cells,
    Flow,
    Lattice,
    Mesh,
    OptionError,
    VelocityGradient,
    Verdict,
    plot,
    separate,
    velocity_gradient,
)
from tests.meshes import SOLIDS, planar

pytestmark = pytest.mark.filterwarnings("error")

LAW = "carreau(eta0=1.0, eta_inf=0.01, lam=2.0, n=0.4)"


def channel(width=4.0, height=1.0, columns=12, rows=10):
    """Quads between two walls with a parabolic velocity at their points."""
    x, y = np.linspace(0, width, columns + 1), np.linspace(0, height, rows + 1)
    points = np.stack([*np.meshgrid(x, y, indexing="ij"), np.zeros((columns + 1, rows + 1))], -1).reshape(-1, 3)
    index = np.arange(len(points)).reshape(columns + 1, rows + 1)
    quads = np.stack([index[:-1, :-1], index[1:, :-1], index[1:, 1:], index[:-1, 1:]], -1).reshape(-1, 4)
    speed = 4 * points[:, 1] / height * (1 - points[:, 1] / height)
    return Flow(Mesh(points, Cells.of_type(9, quads)), np.outer(speed, [1.0, 0, 0]), "points")


def moved(flow, velocity):
    return Flow(flow.mesh, velocity, flow.location)


FLOWS = {
    "channel": channel(),
    "constant": moved(channel(), np.ones((143, 3)) * [1.0, 2, 0]),
    "at rest": moved(channel(), np.zeros((143, 3))),
    "all NaN": moved(channel(), np.full((143, 3), np.nan)),
    "some NaN": moved(channel(), np.where(np.arange(143)[:, None] % 9, channel().velocity, np.nan)),
    "single cell": channel(columns=1, rows=1),
    "long": channel(10, 0.7),
    "very long": channel(1000, 0.1),
    "tall": channel(0.2, 1.0, 1, 40),
    "tiny": channel(4e-6, 1e-6),
    "solid": Flow(SOLIDS["mixed"], SOLIDS["mixed"].points[:, [1, 2, 0]] ** 2, "points"),
}


def saved(ax, tmp_path, kind="png"):
    path = tmp_path / f"figure.{kind}"
    plot.save(ax, path)
    return path.read_bytes()


@pytest.mark.parametrize("at", ["points", "cells"])
@pytest.mark.parametrize("case", FLOWS)
def test_fields_of_any_data(case, at, tmp_path):
    gradient = velocity_gradient(FLOWS[case], at=at)
    section = plot.section_of(FLOWS[case].mesh)
    for name in ("shear_rate", "flow_type"):
        with plot.figure(*plot.size_for(section)) as ax:
            assert plot.vectors(gradient, plot.field(gradient, name, ax, section), section) is ax
            assert saved(ax, tmp_path).startswith(b"\x89PNG")
        kinds = {type(each) for each in ax.collections}
        assert (TriMesh if at == "points" else PolyCollection) in kinds


@pytest.mark.parametrize("case", FLOWS)
def test_curves_of_any_data(case, tmp_path):
    separation = separate(velocity_gradient(FLOWS[case], at="cells"), viscosity=LAW)
    for draw in (plot.flow_curve, plot.viscosity, plot.normal_stress):
        with plot.figure() as ax:
            assert draw(separation, ax) is ax
            assert saved(ax, tmp_path, "svg")


@pytest.mark.parametrize("case", FLOWS)
def test_labels_and_distributions_of_any_data(case, tmp_path):
    separation = separate(velocity_gradient(FLOWS[case]), viscosity=LAW)
    with plot.figure() as ax:
        assert plot.labels(separation, ax) is ax
        assert saved(ax, tmp_path)
    for name in ("velocity", "shear_rate", "flow_type", "lambda2", "viscosity"):
        with plot.figure() as ax:
            assert plot.distribution(separation.gradient, name, ax) is ax
            ax.figure.draw_without_rendering()


@pytest.mark.parametrize("name", ["shear_rate", "lambda2", "flow_type", "q_criterion"])
def test_labels_come_from_the_records(name):
    gradient = velocity_gradient(channel())
    with plot.figure() as ax:
        plot.field(gradient, name, ax)
        bar = ax.child_axes[0]
        assert (bar.get_xlabel() or bar.get_ylabel()).partition("\n")[0] == QUANTITIES[name].label
    with plot.figure() as ax:
        assert plot.distribution(gradient, name, ax).get_xlabel() == QUANTITIES[name].label


def test_a_planar_vorticity_keeps_its_sign():
    with plot.figure() as ax:
        plot.field(velocity_gradient(channel()), "vorticity", ax)
        low, high = ax.collections[0].get_clim()
        assert low == -high < 0
        assert r"\omega_z" in ax.child_axes[0].get_xlabel() + ax.child_axes[0].get_ylabel()


def test_wide_pictures_have_their_bar_below():
    for flow, below in ((channel(10, 0.7), True), (channel(0.2, 1.0), False)):
        section = plot.section_of(flow.mesh)
        with plot.figure(*plot.size_for(section)) as ax:
            plot.field(velocity_gradient(flow), "shear_rate", ax, section)
            bar = ax.child_axes[0].get_window_extent()
            assert (bar.y1 < ax.get_window_extent().y0) == below
            assert (bar.width > bar.height) == below


def test_lengths_are_equal_unless_the_axis_says_so():
    for width, stretched in ((10.0, False), (1000.0, True)):
        section = plot.section_of(channel(width).mesh)
        with plot.figure(*plot.size_for(section)) as ax:
            plot.field(velocity_gradient(channel(width)), "shear_rate", ax, section)
            assert (ax.get_aspect() == 1) != stretched
            assert ("stretched" in ax.get_xlabel()) == stretched


def overlaps(boxes):
    return [(a, b) for a, b in itertools.combinations(boxes, 2) if a.overlaps(b) and a.width and b.width]


@pytest.mark.parametrize("case", ["channel", "long", "tall", "tiny"])
def test_tick_labels_do_not_overlap(case):
    section = plot.section_of(FLOWS[case].mesh)
    with plot.figure(*plot.size_for(section, 4.7)) as ax:
        plot.field(velocity_gradient(FLOWS[case]), "shear_rate", ax, section)
        ax.figure.draw_without_rendering()
        for each in (ax, ax.child_axes[0]):
            for axis in (each.xaxis, each.yaxis):
                shown = [label for label in axis.get_ticklabels() if label.get_visible() and label.get_text()]
                low, high = sorted(axis.get_view_interval())
                inside = [t.get_window_extent() for t in shown if low <= t.get_position()[axis is each.yaxis] <= high]
                assert not overlaps(inside)


def test_distributions_count_everything():
    gradient = velocity_gradient(channel(), at="cells")
    for name in ("shear_rate", "flow_type"):
        with plot.figure() as ax:
            plot.distribution(gradient, name, ax)
            assert ax.patches[0].get_data().values.sum() == pytest.approx(100, abs=0.5)


def test_zeros_on_a_logarithmic_axis_are_counted_as_outside():
    rates = np.r_[np.zeros(50), np.geomspace(0.01, 100, 150)]
    L = np.zeros((200, 3, 3))
    L[:, 0, 1] = rates
    with plot.figure() as ax:
        plot.distribution(VelocityGradient(L), "shear_rate", ax)
        assert ax.get_xscale() == "log"
        assert "25 % outside" in [text.get_text() for text in ax.texts]
        assert "samples" in ax.get_ylabel()


def test_the_flow_curve_names_the_law_and_its_parameters():
    separation = separate(velocity_gradient(channel()), viscosity=LAW)
    with plot.figure() as ax:
        plot.flow_curve(separation, ax)
        texts = [text.get_text() for legend in (*ax.artists, ax.get_legend()) for text in legend.get_texts()]
    law = next(text for text in texts if "carreau" in text)
    assert "given" in law
    assert all(part in law for part in (r"$\eta_{\mathrm{0}}$ = 1", r"\infty", r"$\lambda$ = 2", "$n$ = 0.4"))


def test_no_law_is_drawn_where_none_holds():
    """Two liquids, each at all rates: cells and medians, and nothing that goes for both."""
    L = np.zeros((400, 3, 3))
    L[:, 0, 1] = np.tile(np.geomspace(0.1, 10, 200), 2)
    separation = separate(VelocityGradient(L), viscosity=np.repeat([1.0, 3.0], 200))
    assert separation.verdict is Verdict.NOT_A_FUNCTION_OF_RATE
    for draw in (plot.flow_curve, plot.viscosity):
        with plot.figure() as ax:
            draw(separation, ax)
            texts = {text.get_text() for text in ax.get_legend().get_texts()}
        assert texts == {"cells", "medians, 10–90 %"}


def test_many_cells_are_shown_by_the_same_sample():
    rng = np.random.default_rng(3)
    L = np.zeros((30_000, 3, 3))
    L[:, 0, 1] = 10 ** rng.uniform(-2, 2, len(L))
    separation = separate(VelocityGradient(L), viscosity=LAW)
    drawn = []
    for _ in range(2):
        with plot.figure() as ax:
            drawn.append(plot.flow_curve(separation, ax).lines[0].get_xydata())
    assert len(drawn[0]) == 20_000
    np.testing.assert_array_equal(*drawn)


def test_normal_stresses_are_told_apart_by_sign():
    L = np.zeros((40, 3, 3))
    L[:, 0, 1] = np.geomspace(0.1, 10, 40)
    stress = np.zeros((40, 3, 3))
    stress[:, 0, 1] = stress[:, 1, 0] = L[:, 0, 1]
    stress[:, 0, 0] = 2 * L[:, 0, 1] ** 2
    stress[:, 1, 1] = -0.2 * L[:, 0, 1] ** 2
    with plot.figure() as ax:
        plot.normal_stress(separate(VelocityGradient(L), stress=stress), ax)
        names = {text.get_text() for text in ax.get_legend().get_texts()}
    assert names == {"$N_1$ > 0", "$N_2$ < 0"}


def test_label_legend_states_the_shares():
    separation = separate(velocity_gradient(channel(), at="cells"), viscosity=LAW)
    with plot.figure() as ax:
        plot.labels(separation, ax)
        texts = [text.get_text() for text in ax.get_legend().get_texts()]
    assert sum(float(text.split(": ")[1].removesuffix(" %")) for text in texts) == pytest.approx(100, abs=0.5)


def test_what_cannot_be_drawn_says_why():
    with plot.figure() as ax:
        with pytest.raises(OptionError, match="without a mesh"):
            plot.field(VelocityGradient(np.zeros((4, 3, 3))), "shear_rate", ax)
        with pytest.raises(OptionError, match="did you mean 'shear_rate'"):
            plot.field(velocity_gradient(channel()), "shear_rat", ax)
        with pytest.raises(OptionError, match="viscosity"):
            plot.flow_curve(separate(velocity_gradient(channel())), ax)


def test_equal_figures_are_equal_files(tmp_path):
    gradient = velocity_gradient(Flow(planar("triangle"), planar("triangle").points ** 2, "points"))
    files = []
    for _ in range(2):
        with plot.figure() as ax:
            plot.field(gradient, "shear_rate", ax)
            files.append(saved(ax, tmp_path, "svg"))
    assert files[0] == files[1]


@pytest.mark.parametrize("at", ["cells", "points", None])
def test_a_velocity_that_lives_elsewhere_counts_by_the_area_it_stands_for(at):
    """u = 1 + x on points that crowd at x < 0.1, where little of the area is; of the flow itself as well."""
    lattice = Lattice.rectilinear(np.r_[np.linspace(0, 0.1, 50), 1.0], np.array([0.0, 1.0]), np.array([0.0]))
    flow = Flow(lattice, np.column_stack([1 + lattice.points[:, 0], 0 * lattice.points[:, :2]]), "points")
    with plot.figure() as ax:
        plot.distribution(velocity_gradient(flow, at=at) if at else flow, "velocity", ax)
        edges, shares = ax.patches[0].get_data().edges, ax.patches[0].get_data().values
        label = ax.get_ylabel()
    assert label == "share of the area [%]"
    assert shares[edges[1:] < 1.2].sum() == pytest.approx(10 + 45, abs=1)
