"""Pictures of a page hold all that is drawn, cropped to it."""

from __future__ import annotations

import base64
import re
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from flowgrad import plot
from flowgrad.plot.style import MARGIN, cropped
from flowgrad.report import embed
from flowgrad.report.embed import address


def opened(address: str):
    return Image.open(BytesIO(base64.b64decode(address.partition(",")[2])))


def frames(pixels):
    """Darkest value in each of the outermost margins, and in the lines just inside them."""
    width = round(MARGIN * embed._DPI)
    turned = [np.rot90(pixels, k) for k in range(4)]
    return [each[:width].min() for each in turned], [each[width].min() for each in turned]


@pytest.mark.parametrize("length", [1, 10, 60])
def test_letters_that_reach_far_outside_are_in_it(length):
    with plot.figure(2.0, 1.5) as ax:
        ax.text(0.2, 0.5, "to the left" * length, transform=ax.transAxes, ha="right")
        ax.text(0.5, 0.2, "below" * length, transform=ax.transAxes, va="top", rotation="vertical")
        pixels, box = cropped(ax, embed._DPI)
        ax.figure.set_dpi(embed._DPI)
        size = ax.figure.get_tightbbox().size * embed._DPI
    outside, inside = frames(pixels)
    assert min(outside) == 255
    assert max(inside) < 255
    assert box.size * embed._DPI == pytest.approx(pixels.shape[1::-1])
    assert pixels.shape[1::-1] == pytest.approx(size + 2 * MARGIN * embed._DPI, abs=3)


def test_it_has_a_description_and_its_size_on_the_page():
    with plot.figure(2.0, 1.5) as ax:
        html = embed.raster(ax, 'of "x" < 1')
    assert 'alt="of &#34;x&#34; &lt; 1"' in html
    width, height = (int(re.search(rf'{side}="(\d+)"', html)[1]) for side in ("width", "height"))
    stored = opened(re.search(r'src="([^"]*)"', html)[1])
    assert (width, height) == pytest.approx(np.array(stored.size) * embed._PIXELS * 72 / embed._DPI, abs=0.5)


def test_transparency_and_few_colours_are_kept():
    pixels = np.zeros((20, 30, 4), np.uint8)
    pixels[5:9, 3:20] = 200, 30, 40, 255
    kept = np.asarray(opened(address(pixels)).convert("RGBA"))
    assert (kept[..., 3] == pixels[..., 3]).all()
    assert (kept[6, 10] == pixels[6, 10]).all()


def test_colours_go_over_as_they_did():
    x, y = np.meshgrid(np.linspace(0, 255, 200), np.linspace(0, 255, 150))
    pixels = np.stack([x, y, 255 - x], axis=-1).astype(np.uint8)
    kept = np.asarray(opened(address(pixels)).convert("RGB")).astype(int)
    assert np.abs(kept - pixels).mean() < 3
