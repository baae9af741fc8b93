"""The programs of the gallery run by themselves, draw their picture, and answer as docs/gallery.md says."""

import importlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from scripts import gallery_page

ROOT = Path(__file__).resolve().parent.parent
PROGRAMS = sorted(path.stem for path in (ROOT / "scripts" / "gallery").glob("*.py") if path.stem != "__init__")
NEEDED = {"network": "torch", "which_fluid": "skfem"}
_MOST_BYTES = 80_000


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_draws_and_answers(name, tmp_path):
    if name in NEEDED:
        pytest.importorskip(NEEDED[name], reason=f"{NEEDED[name]} is not installed")
    answer = importlib.import_module(f"scripts.gallery.{name}").main(tmp_path)
    with Image.open(tmp_path / f"{name}.png") as picture:
        pixels = np.asarray(picture.convert("L"))
    assert min(pixels.shape) > 200
    assert 0.005 < np.mean(pixels < 250) < 0.95
    # The network's numbers are those of its random start and of torch's arithmetic.
    if name != "network":
        assert answer in gallery_page.PAGE.read_text(), "run scripts/gallery_page.py"


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_is_short_and_on_the_page(name):
    text = (ROOT / "scripts" / "gallery" / f"{name}.py").read_text()
    assert len(text.splitlines()) <= 40
    page = gallery_page.PAGE.read_text()
    assert f"## {gallery_page.question(name)}" in page
    assert f"(../scripts/gallery/{name}.py)" in page
    assert 5_000 < (gallery_page.PICTURES / f"{name}.png").stat().st_size < _MOST_BYTES


def test_the_page_has_all_programs():
    assert sorted(gallery_page.NAMES) == PROGRAMS
