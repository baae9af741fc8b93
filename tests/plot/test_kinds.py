"""Every figure function on planar, solid, mixed and high-order meshes, whole, with holes and without any value."""

import itertools

import numpy as np
import pytest
from matplotlib.collections import LineCollection, PolyCollection, TriMesh
from matplotlib.quiver import Quiver, QuiverKey
from matplotlib.text import Text
from scipy.spatial.distance import pdist

from flowgrad import QUANTITIES, Flow, Mesh, OptionError, VelocityGradient, plot, separate, velocity_gradient
from flowgrad.plot.axes import number
from tests.high_order import reference, straight
from tests.meshes import SOLIDS, build, pentagons, planar

pytestmark = pytest.mark.filterwarnings("error")


def swirling(mesh, at="points", hole=0):
    """A velocity with all kinds of motion; every ``hole``-th value is not known."""
    x = (mesh.points if at == "points" else mesh.centroids) @ np.diag([1.0, 1.3, 0.7])
    velocity = np.column_stack([np.sin(x[:, 1]), -np.sin(x[:, 0]) * np.cos(x[:, 2]), 0.3 * np.sin(x[:, 0] + x[:, 1])])
    if mesh.dimension == 2:
        velocity[:, 2] = 0
    data = {"p": np.cos(x[:, 0]) - 0.3, "T": 300 + x[:, 1], "names": np.full(len(x), "a")}
    if hole:
        velocity[::hole] = np.nan
        data["p"][::hole] = np.nan
    return Flow(mesh, velocity, at, **{"point_data" if at == "points" else "cell_data": data})


MESHES = {
    "planar": planar("quad"),
    "polygons": pentagons(),
    "solid": SOLIDS["tetra"],
    "mixed": SOLIDS["mixed"],
    "curved surface cells": straight(reference(22), 3, np.eye(3)),
    "curved solid cells": straight(reference(25), 2, np.eye(3)),
}
FLOWS = {
    **{f"{name}, {at}": swirling(mesh, at) for name, mesh in MESHES.items() for at in ("points", "cells")},
    "holes, points": swirling(MESHES["planar"], "points", 9),
    "holes, cells": swirling(MESHES["mixed"], "cells", 5),
    "nothing": swirling(MESHES["planar"], "points", 1),
}
GRADIENTS = {name: velocity_gradient(flow) for name, flow in FLOWS.items() if name != "nothing"}
GRADIENTS["nothing"] = VelocityGradient(np.full((len(FLOWS["nothing"].velocity), 3, 3), np.nan), FLOWS["nothing"])
DRAWN = pytest.mark.parametrize("case", FLOWS)


def kind_of(ax, kind):
    return [each for each in ax.collections if type(each) is kind]


def finished(ax):
    """The axes as they are saved: equal scale, named axes, or a scale instead."""
    ax.figure.draw_without_rendering()
    assert ax.get_aspect() == 1
    assert "[L]" in ax.get_xlabel()
    return ax


@DRAWN
def test_field(case):
    gradient = GRADIENTS[case]
    section = plot.section_of(gradient.flow.mesh)
    values = section.values(gradient["lambda2"], gradient.location)
    with plot.figure(5, 4) as ax:
        assert plot.field(gradient, "lambda2", ax, section) is finished(ax)
        bar = ax.child_axes[0]
        label = bar.get_xlabel() or bar.get_ylabel()
        assert label.startswith(QUANTITIES["lambda2"].label)
        note = [text.get_text() for text in ax.get_legend().get_texts()] if ax.get_legend() else []
        assert bool(np.isnan(values).any()) == any("no value" in text for text in note)
        if np.isfinite(values).any():
            (drawn,) = kind_of(ax, TriMesh if gradient.location == "points" else PolyCollection)[-1:]
            low, high = drawn.get_clim()
            assert low == -high
            assert np.nanmax(np.abs(values)) <= high * (1 + 1e-9) or "beyond" in label
            if gradient.location == "cells":
                assert len(drawn.get_paths()) == len(section)


@pytest.mark.parametrize("case", [name for name, flow in FLOWS.items() if flow.mesh.dimension == 3])
def test_field_on_slices_and_boundaries(case):
    gradient = GRADIENTS[case]
    mesh = gradient.flow.mesh
    middle = mesh.points.mean(axis=0)
    places = [plot.cut(mesh, plot.plane(n, float(np.dot(n, middle)))) for n in ((0, 0, 1), (1, 0, 0), (1, 2, 3))]
    for section in (*places, plot.boundary(mesh), plot.boundary(mesh, "y")):
        with plot.figure(4, 4) as ax:
            plot.field(gradient, "shear_rate", ax, section)
            ax.figure.draw_without_rendering()
            drawn = [*kind_of(ax, PolyCollection), *kind_of(ax, TriMesh)]
            assert drawn
            if section.shades is not None:
                corners = drawn[-1].get_facecolor()
                assert len(corners) >= (len(section.vertices) if gradient.location == "points" else len(section))


@DRAWN
def test_vectors_and_streamlines(case):
    flow = FLOWS[case]
    with plot.figure(5, 4) as ax:
        assert plot.vectors(flow, ax) is finished(ax)
        assert len(kind_of(ax, Quiver)) == (case != "nothing")
    with plot.figure(5, 4) as ax:
        assert plot.streamlines(flow, ax) is finished(ax)
        assert (len(kind_of(ax, LineCollection)) == 2) == (case != "nothing")


@DRAWN
def test_ellipses(case):
    gradient = GRADIENTS[case]
    with plot.figure(5, 4) as ax:
        assert plot.ellipses(gradient, ax) is finished(ax)
        title = ax.get_title(loc="left")
        if case == "nothing":
            assert "no deformation" in title
            return
        assert "δt = " in title
        (outlines,) = kind_of(ax, PolyCollection)
        _, compressed, stretched = kind_of(ax, LineCollection)
        lengths = [
            np.hypot(*np.diff(np.array(each.get_segments()), axis=1)[:, 0].T) for each in (compressed, stretched)
        ]
        assert (lengths[1] >= lengths[0] * (1 - 1e-12)).all()
        assert len(outlines.get_paths()) >= len(lengths[0]) > 0


def test_ellipses_of_plain_shear_lie_at_45_degrees():
    mesh = planar("quad")
    flow = Flow(mesh, mesh.points[:, [1, 0, 2]] * [2.0, 0, 0], "points")
    with plot.figure() as ax:
        plot.ellipses(velocity_gradient(flow), ax)
        _, compressed, stretched = kind_of(ax, LineCollection)
        for lines, angle in ((stretched, 45), (compressed, 135)):
            arms = np.diff(np.array(lines.get_segments()), axis=1)[:, 0]
            np.testing.assert_allclose(np.degrees(np.arctan2(*arms.T[::-1])) % 180, angle, atol=1e-6)
        # Rates ±1: the strain of 0.6 is reached after 0.6.
        assert "δt = 0.6 " in ax.get_title(loc="left")
        ratio = [np.hypot(*np.diff(each.get_segments()[0], axis=0)[0]) for each in (stretched, compressed)]
        assert ratio[0] / ratio[1] == pytest.approx(np.exp(1.2), rel=1e-9)


@DRAWN
def test_flow_types(case):
    gradient = GRADIENTS[case]
    section = plot.section_of(gradient.flow.mesh)
    with plot.figure(5, 4) as ax:
        assert plot.flow_types(gradient, ax, section) is finished(ax)
        (polygons,) = kind_of(ax, PolyCollection)
        parts = section.vertices if gradient.location == "points" else section.cells
        assert len(polygons.get_facecolor()) == len(parts)
        shares = [text.get_text().split(": ")[1].removesuffix(" %") for text in ax.get_legend().get_texts()]
        total = sum(float(share.removeprefix("< ")) for share in shares)
        assert total == pytest.approx(0 if case == "nothing" else 100, abs=0.5)


def test_flow_types_are_told_apart():
    L = np.zeros((3, 3, 3))
    L[0, 0, 1], L[0, 1, 0] = 1, -0.9
    L[1, 0, 1] = 1
    L[2, 0, 0], L[2, 1, 1] = 1, -1
    gradient = VelocityGradient(np.repeat(L, 3, axis=0), Flow(planar("quad", 3), np.zeros((9, 3)), "cells"))
    with plot.figure() as ax:
        plot.flow_types(gradient, ax)
        names = [text.get_text().split(":")[0].split()[0] for text in ax.get_legend().get_texts()]
        colours = kind_of(ax, PolyCollection)[0].get_facecolor()
    assert names == ["rotation", "shear", "extension"]
    assert len(np.unique(colours, axis=0)) == 3
    np.testing.assert_array_equal(colours[::3], colours[2::3])


@DRAWN
def test_invariants(case):
    with plot.figure() as ax:
        assert plot.invariants(GRADIENTS[case], ax) is ax
        ax.figure.draw_without_rendering()
        assert (ax.get_xlabel(), ax.get_ylabel()) == tuple(QUANTITIES[n].label for n in ("invariant_r", "q_criterion"))
        if case != "nothing":
            curve = next(line for line in ax.lines if "27R" in line.get_label())
            r, q = curve.get_data()
            np.testing.assert_allclose(27 / 4 * r**2 + q**3, 0, atol=1e-12 * np.abs(q).max() ** 3)


def test_the_map_of_invariants_counts_all():
    L = np.random.default_rng(2).normal(size=(20_000, 3, 3))
    L -= np.einsum("nii->n", L)[:, None, None] * np.eye(3) / 3
    with plot.figure() as ax:
        plot.invariants(VelocityGradient(L), ax)
        shares = next(each for each in ax.collections if each.get_array() is not None).get_array()
        outside = float(ax.texts[0].get_text().split(" %")[0])
        assert shares.sum() == pytest.approx(100 - outside, abs=0.1)


@DRAWN
@pytest.mark.parametrize("name", ["p", "T", "velocity"])
def test_contours_with_arrows(case, name):
    with plot.figure(5, 4) as ax:
        assert plot.gradient_arrows(FLOWS[case], name, ax) is finished(ax)
        bar = ax.child_axes[0]
        assert name in bar.get_xlabel() + bar.get_ylabel()


def test_limits_hold_for_contours_too():
    with plot.figure(5, 4) as ax:
        plot.gradient_arrows(FLOWS["planar, points"], "T", ax, limits=(301, 302))
        bar = ax.child_axes[0]
        assert {bar.get_xlim(), bar.get_ylim()} >= {(301, 302)}
        levels = [line.get_ydata()[0] for line in bar.lines]
        assert len(levels) > 4
        assert all(301 < level < 302 for level in levels)
    with plot.figure(5, 4) as ax, pytest.raises(OptionError, match="rise"):
        plot.gradient_arrows(FLOWS["planar, points"], "T", ax, limits=(2, 1))


@pytest.mark.parametrize("width", [2.0, 3.4, 7.0])
@pytest.mark.parametrize("case", ["planar, cells", "holes, points", "mixed, points", "curved solid cells, cells"])
def test_arrows_have_one_of_a_round_number_that_overlaps_nothing(case, width):
    flow = FLOWS[case]
    section = plot.section_of(flow.mesh)
    for draw in (
        lambda ax: plot.vectors(flow, plot.field(flow, "T", ax, section), section),
        lambda ax: plot.gradient_arrows(flow, "T", ax, section),
    ):
        with plot.figure(*plot.size_for(section, width)) as ax:
            draw(ax)
            plot.say_where(ax, section)
            (arrows,), (key,) = kind_of(ax, Quiver), ax.findobj(QuiverKey)
            full = np.hypot(arrows.U, arrows.V).max()
            assert 0.39 * full < key.U <= full * (1 + 1e-12)
            assert f"{key.U:e}"[0] in "125"
            text = ax.texts[0]
            assert text.get_text().startswith(number(key.U))
            assert text.get_text().endswith(("/T]", "per [L]"))
            ax.figure.draw_without_rendering()
            top = ax.get_window_extent().y1
            (title,) = [each for each in ax.findobj(Text) if each.get_text() == ax.get_title(loc="left")]
            boxes = [text.get_window_extent(), title.get_window_extent()]
            if ax.get_legend() is not None:
                boxes.append(ax.get_legend().get_window_extent())
            assert not [(a, b) for a, b in itertools.combinations(boxes, 2) if a.overlaps(b)]
            assert min(box.y0 for box in boxes) >= top - 1


def test_arrows_are_as_long_as_the_reference_says():
    """A uniform flow: each arrow is 5, the reference, whatever the shape of the page."""
    mesh = planar("quad")
    flow = Flow(Mesh(mesh.points * [400, 1, 1], mesh.cells), np.tile([3.0, 4.0, 0], (len(mesh.points), 1)), "points")
    with plot.figure() as ax:
        plot.vectors(flow, ax)
        (arrows,), (key,) = kind_of(ax, Quiver), ax.findobj(QuiverKey)
        ax.figure.draw_without_rendering()
        assert key.U == 5
        arrow, reference = (each.vertices for each in (arrows.get_paths()[0], key.vector.get_paths()[0]))
        assert pdist(arrow).max() == pytest.approx(pdist(reference).max(), rel=1e-6)


def test_the_power_of_ten_is_clear_of_the_legend():
    L = 1e3 * np.random.default_rng(1).normal(size=(2000, 3, 3))
    for width in (plot.ONE_COLUMN, plot.TWO_COLUMN):
        with plot.figure(width) as ax:
            plot.invariants(VelocityGradient(L), ax)
            ax.figure.draw_without_rendering()
            power = ax.yaxis.get_offset_text()
            assert power.get_text() == "×10⁶"
            boxes = [power.get_window_extent(), ax.get_legend().get_window_extent(), ax.texts[0].get_window_extent()]
            assert not [(a, b) for a, b in itertools.combinations(boxes, 2) if a.overlaps(b)]


@pytest.mark.parametrize("name", [r"$\frac{a$", r"a $\nu$ b", "_x", "cost [$]"])
def test_names_of_arrays_are_no_formulas(name, tmp_path):
    flow = swirling(MESHES["planar"])
    flow = Flow(flow.mesh, flow.velocity, "points", point_data={name: flow.mesh.points[:, 0]})
    with plot.figure() as ax:
        plot.gradient_arrows(flow, name, ax)
        plot.save(ax, tmp_path / "a.svg")
    with plot.figure() as ax:
        plot.profile({name: flow, "other": flow}, name, ax, (0.2, 0.2), (0.8, 0.8))
        assert len(ax.get_legend().get_texts()) == 2
        plot.save(ax, tmp_path / "b.svg")
    for figure, count in (("a", 1), ("b", 2)):
        assert (tmp_path / f"{figure}.svg").read_text().count(f">{name}") == count


@pytest.mark.parametrize("at", ["points", "cells"])
def test_arrows_are_normal_to_the_contours_of_a_slope(at):
    mesh = planar("triangle")
    places = mesh.points if at == "points" else mesh.centroids
    flow = Flow(mesh, places, at, **{f"{at[:-1]}_data": {"s": 3 * places[:, 0] - 2 * places[:, 1]}})
    with plot.figure() as ax:
        plot.gradient_arrows(flow, "s", ax)
        (arrows,) = kind_of(ax, Quiver)
        angles = np.degrees(np.arctan2(arrows.V, arrows.U))
        assert np.abs(np.median(angles) - np.degrees(np.arctan2(-2, 3))) < (1e-6 if at == "points" else 5)
        if at == "points":
            np.testing.assert_allclose(angles, angles[0], atol=1e-6)


def test_arrays_of_the_file_are_drawn_by_their_names():
    flow = FLOWS["planar, cells"]
    section = plot.section_of(flow.mesh)
    for name, centred in (("p", True), ("T", False)):
        with plot.figure() as ax:
            plot.field(flow, name, ax)
            low, high = kind_of(ax, PolyCollection)[0].get_clim()
            assert (low == -high) == centred
            np.testing.assert_array_equal(
                kind_of(ax, PolyCollection)[0].get_array(), flow.cell_data[name][section.cells]
            )
    with plot.figure() as ax:
        for name, why in (("names", "no real numbers"), ("TT", "did you mean 'T'"), ("lambda2", "velocity gradient")):
            with pytest.raises(OptionError, match=why):
                plot.field(flow, name, ax)
        with pytest.raises(OptionError, match="did you mean 'p'"):
            plot.field(GRADIENTS["planar, cells"], "pp", ax)


def test_uncertainty_is_that_of_the_quantity():
    mesh = planar("quad")
    noisy = velocity_gradient(Flow(mesh, mesh.points**2, "points", noise=0.1), at="cells")
    with plot.figure() as ax:
        plot.uncertainty(noisy, "vorticity", ax)
        np.testing.assert_array_equal(kind_of(ax, PolyCollection)[0].get_array(), noisy.std("vorticity")[:, 2])
        bar = ax.child_axes[0]
        assert r"\sigma(\omega_z)" in bar.get_xlabel() + bar.get_ylabel()
    estimated = velocity_gradient(Flow(mesh, mesh.points**2, "points"), at="cells", error=True)
    with plot.figure() as ax:
        plot.uncertainty(estimated, "vorticity", ax)
        np.testing.assert_array_equal(kind_of(ax, PolyCollection)[0].get_array(), estimated.error)
        with pytest.raises(OptionError, match="--noise"):
            plot.uncertainty(GRADIENTS["planar, cells"], "vorticity", ax)


@pytest.mark.parametrize("case", ["mixed, cells", "curved surface cells, points", "holes, points"])
def test_labels_and_regions(case):
    separation = separate(GRADIENTS[case], viscosity="carreau(eta0=1.0, eta_inf=0.01, lam=2.0, n=0.4)")
    for draw in (plot.labels, plot.regions):
        with plot.figure() as ax:
            assert draw(separation, ax) is finished(ax)
            assert ax.get_legend().get_texts()


def test_given_limits_are_kept_and_what_is_beyond_is_stated():
    gradient = GRADIENTS["planar, cells"]
    with plot.figure() as ax:
        plot.field(gradient, "shear_rate", ax, limits=(0.5, 0.6))
        assert kind_of(ax, PolyCollection)[0].get_clim() == (0.5, 0.6)
        bar = ax.child_axes[0]
        assert "% beyond, to" in bar.get_xlabel() + bar.get_ylabel()
        for limits in ((1, 1), (2, 1), (0, np.nan)):
            with pytest.raises(OptionError, match="limits"):
                plot.field(gradient, "shear_rate", ax, limits=limits)


def test_no_texts_overlap():
    """Axis labels, ticks, titles, colour bars and legends of figures of all shapes, one and two columns wide."""
    for case, width in itertools.product(("planar, cells", "holes, cells", "curved solid cells, points"), (3.4, 7)):
        gradient = GRADIENTS[case]
        section = plot.section_of(gradient.flow.mesh)
        for draw in (plot.ellipses, plot.flow_types, lambda g, ax, s: plot.field(g, "lambda2", ax, s)):
            with plot.figure(*plot.size_for(section, width)) as ax:
                draw(gradient, ax, section)
                ax.figure.draw_without_rendering()
                axes = [ax, *ax.child_axes]
                texts = [axis.label for each in axes for axis in (each.xaxis, each.yaxis)]
                texts += [t for each in axes for axis in (each.xaxis, each.yaxis) for t in shown_ticks(axis)]
                texts += ax.get_legend().get_texts() if ax.get_legend() else []
                boxes = [text.get_window_extent() for text in texts if text.get_text()]
                assert not [1 for a, b in itertools.combinations(boxes, 2) if a.overlaps(b)]


def shown_ticks(axis):
    low, high = sorted(axis.get_view_interval())
    return [
        tick.label1 for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high and tick.label1.get_visible()
    ]


def test_vector_figures_have_text_as_text(tmp_path):
    with plot.figure() as ax:
        plot.field(GRADIENTS["planar, points"], "shear_rate", ax)
        for kind in ("svg", "pdf"):
            plot.save(ax, tmp_path / f"figure.{kind}")
        with pytest.raises(OptionError, match="png, svg, pdf"):
            plot.save(ax, tmp_path / "figure.gif")
    assert ">x [L]</text>" in (tmp_path / "figure.svg").read_text()
    assert b"/CIDFontType2" in (tmp_path / "figure.pdf").read_bytes()


def test_what_has_no_area_is_refused():
    line = Flow(build(np.eye(3), [("line", (0, 1))]), np.zeros((3, 3)), "points")
    cloud = Flow(Mesh(np.eye(3), line.mesh.cells.take(np.empty(0, int))), np.zeros((3, 3)), "points")
    for flow in (line, cloud):
        for draw in (plot.vectors, plot.streamlines, lambda f, ax: plot.field(f, "velocity", ax)):
            with plot.figure() as ax, pytest.raises(OptionError, match="give cells"):
                draw(flow, ax)
