"""Small pictures hold the values, and one scale colours them all."""

import base64
import io

import numpy as np
import pytest
from matplotlib import colormaps
from PIL import Image

from flowgrad import Flow, Lattice, Options, plot
from flowgrad.pipeline.analysis import analyse_flow
from flowgrad.report.pictures import Scale, bar, coloured, common_scale, painted, thumbnail
from tests.meshes import planar


def stored(factor=1.0):
    mesh = planar("quad")
    velocity = factor * np.column_stack([mesh.points[:, 1] ** 2, 0 * mesh.points[:, 0], 0 * mesh.points[:, 0]])
    analysis = analyse_flow(Flow(mesh, velocity, "points"), Options(at="cells"))
    return thumbnail(analysis, plot.section_of(mesh)), analysis


def pixels(picture):
    data = picture.partition("base64,")[2].partition('"')[0]
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data))).convert("RGBA"))


def test_levels_are_values_between_the_limits():
    small, analysis = stored()
    levels = np.asarray(Image.open(io.BytesIO(base64.b64decode(small["levels"]))))
    values = small["low"] + (small["high"] - small["low"]) * ((levels[levels > 0] - 1.0) / 254) ** 2
    assert small["quantity"] == "shear_rate"
    gradient = analysis.gradient
    mean = (gradient.weights * gradient["shear_rate"]).sum() / gradient.weights.sum()
    assert values.mean() == pytest.approx(mean, rel=0.03)
    assert levels.max() == 255


def test_each_pixel_has_the_level_of_its_cell():
    mesh = planar("quad")
    section = plot.section_of(mesh)
    levels = (1 + np.arange(len(section)) % 255).astype(np.uint8)
    picture = painted(section, levels)
    assert set(np.unique(picture)) <= {0, *levels.tolist()}
    low, high = section.bounds
    height, width = picture.shape
    column, row = ((section.centers - low) / (high - low) * [width, height]).astype(int).T
    np.testing.assert_array_equal(picture[height - 1 - row, column], levels)


def test_one_scale_shows_all():
    scale = common_scale([stored(factor)[0] for factor in (1.0, 2.0)])
    assert not scale.is_logarithmic
    assert scale.high == pytest.approx(common_scale([stored(2.0)[0]]).high)
    assert common_scale([stored(factor)[0] for factor in (1.0, 1e3)]).is_logarithmic


@pytest.mark.parametrize("factor", [1e-6, 1.0, 1e6])
def test_colours_do_not_depend_on_the_unit(factor):
    (plain, _), (scaled, _) = stored(), stored(factor)
    first, second = (coloured(each, common_scale([each]), "x") for each in (plain, scaled))
    assert np.abs(pixels(first).astype(int) - pixels(second)).max() <= 8


def test_the_same_value_has_the_same_colour_in_two_pictures():
    scale = Scale("shear_rate", 0.0, 4.0)
    viridis = colormaps["viridis"](np.linspace(0, 1, 64), bytes=True)
    found = scale.colours(np.array([-1.0, 0, 1, 2, 4, 9]))
    np.testing.assert_array_equal(found, viridis[[0, 0, 16, 32, 63, 63]])
    logarithmic = Scale("shear_rate", 1e-2, 1e2, True)
    np.testing.assert_array_equal(logarithmic.colours(np.array([0.0, 1e-2, 1.01, 1e2])), viridis[[0, 0, 32, 63]])


def test_they_are_small_and_described():
    small, _ = stored()
    picture = coloured(small, common_scale([small]), "the <flow>")
    assert len(picture) < 10_000
    assert 'alt="the &lt;flow&gt;"' in picture
    assert pixels(bar("colours")).shape[:2] == (10, 256)


def test_a_flow_at_rest_has_one():
    small, _ = stored(0.0)
    assert pixels(coloured(small, common_scale([small]), "rest"))[..., 3].any()


@pytest.mark.parametrize("corner", [0.0, 1.0, 7.0])
def test_the_domain_fills_the_picture_wherever_it_lies(corner):
    """Its upper right corner at zero too."""
    mesh = Lattice.uniform((4, 4, 1), 1.0, origin=(corner - 3, corner - 3, 0))
    section = plot.section_of(mesh)
    assert (painted(section, np.full(len(section), 200, np.uint8)) > 0).mean() > 0.95
