"""Pages that are made from the code are those of this code, and the code on them runs."""

import re
import shlex
from dataclasses import fields
from pathlib import Path

import pytest

from flowgrad import plot
from flowgrad.cli import main
from flowgrad.cli.request import KINDS
from flowgrad.option import flag
from flowgrad.rheology import MODELS
from flowgrad.rheology.model import Capped, StressModel
from flowgrad.rheology.models.factors import FACTORS
from flowgrad.rheometer.options import FitOptions, Reading
from flowgrad.rheometer.together import Together
from scripts import quantities_table

ROOT = Path(__file__).resolve().parent.parent
FIGURES = (ROOT / "docs" / "figures.md").read_text()
CURVES = (ROOT / "docs" / "curves.md").read_text()


def blocks(language, page=FIGURES):
    """The first line and the text of each block of code in a language."""
    for match in re.finditer(rf"^```{language}\n(.*?)^```", page, re.MULTILINE | re.DOTALL):
        yield page[: match.start(1)].count("\n"), match[1]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty one, with the data."""
    (tmp_path / "data").symlink_to(ROOT / "data")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_table_of_quantities_is_that_of_the_registry():
    assert quantities_table.FILE.read_text() == quantities_table.table(), "run scripts/quantities_table.py"


def test_the_programs_on_the_page_of_figures_draw(folder):
    names, count = {}, 0
    for line, text in blocks("python"):
        exec(compile("\n" * line + text, "docs/figures.md", "exec"), names)
        drawn = len([each for each in folder.iterdir() if each.suffix in (".png", ".svg", ".pdf")])
        assert drawn > count, text
        count = drawn


def test_the_program_on_the_page_of_curves_finds_what_it_says():
    ((line, text),) = blocks("python", CURVES)
    names = {}
    exec(compile("\n" * line + text, "docs/curves.md", "exec"), names)
    assert [row["a_T"] for row in names["master"].rows()] == pytest.approx([1.7, 1.0, 0.6])
    slip = names["mooney"](names["seen"], names["gaps"])
    assert slip.velocity / slip.stress == pytest.approx(1e-6)
    assert names["bagley"](names["dies"], names["ratios"]).end_correction == pytest.approx(2.0)


def test_the_page_of_curves_has_every_option():
    for record in (Reading, FitOptions, Together):
        for name in (each.name for each in fields(record)):
            assert flag(name) in CURVES, name


def test_the_page_of_curves_has_every_law():
    """With whether it has caps, and whether it is ranked unless it is named."""
    rows = dict(re.findall(r"^\| `([a-z-]+)` \| .* \|( .*)? \|$", CURVES, re.MULTILINE))
    assert rows.keys() == MODELS.keys()
    for name, model in MODELS.items():
        assert ("caps" in rows[name]) == issubclass(model, Capped), name
        assert ("by name only" in rows[name]) != model.ranked, name
        assert ("in stress" in rows[name]) == issubclass(model, StressModel), name
    for name, factor in FACTORS.items():
        assert f"`{name}({', '.join(each.name for each in fields(factor))})`" in CURVES


COMMANDS = [line for _, text in blocks("sh") for line in text.splitlines()]


@pytest.mark.parametrize("line", COMMANDS)
def test_the_commands_on_the_page_of_figures_draw(folder, line):
    name, *arguments = shlex.split(line)
    assert name == "flowgrad"
    assert main([*arguments, "-q"]) == 0
    assert (folder / arguments[arguments.index("-o") + 1]).stat().st_size > 2000


def test_the_page_has_every_figure_and_every_option():
    for name in plot.__all__:
        assert f"plot.{name}" in FIGURES, name
    commands = "\n".join(COMMANDS)
    for kind in KINDS.keys() - {"field"}:
        assert f"--kind {kind}" in commands
    for option in ("quantity", "slice", "line", "boundary", "view", "vectors", "streamlines", "limits", "width"):
        assert f"--{option}" in commands


def test_the_pictures_on_the_page_of_figures_are_there():
    pictures = re.findall(r"!\[[^]]*\]\(([^)]+)\)", FIGURES)
    assert len(pictures) > 5
    for each in (*pictures, *re.findall(r"[^!]\[[^]]*\]\(([^)]+\.md)\)", FIGURES)):
        assert (ROOT / "docs" / each).is_file(), each
