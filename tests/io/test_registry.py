"""Registration of formats: from outside as in flowgrad's own modules, listed, and refused where a suffix is taken."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import flowgrad
from flowgrad import Lattice, OptionError, read, read_series
from flowgrad.cli import main
from flowgrad.io import Contents, Step, formats

LATTICE = Lattice.uniform((3, 4))


def read_ones(path: Path) -> Contents:
    return Contents(LATTICE, path, {"U": np.full((12, 3), float(path.read_text()))}, time=7.0)


def steps_of_ones(path: Path) -> list[Step]:
    return [Step(path, float(number), lambda: read_ones(path)) for number in range(3)]


@pytest.fixture(autouse=True)
def as_before():
    before = dict(formats())
    yield
    formats().clear()
    formats().update(before)


def test_a_reader_from_outside(tmp_path, capsys):
    flowgrad.register_format([".ones"], reader=read_ones, keeps="a grid", needs={"json": "json-package"})
    (tmp_path / "case.ones").write_text("2")
    flow = read(tmp_path / "case.ones")
    assert (flow.time, flow.velocity_name, flow.velocity.max()) == (7.0, "U", 2.0)
    assert main(["list", "formats"]) == 0
    assert ".ones       a grid (needs json-package)" in capsys.readouterr().out


def test_steps_from_outside(tmp_path):
    flowgrad.register_format([".steps"], steps=steps_of_ones)
    (tmp_path / "case.steps").write_text("1")
    assert [flow.time for flow in read_series(tmp_path / "case.steps")] == [0.0, 1.0, 2.0]
    assert read(tmp_path / "case.steps", time=1).time == 1.0


@pytest.mark.parametrize("suffix", [".vtu", ".csv", ".foam"])
def test_a_suffix_that_is_taken_is_refused_by_both_names(suffix):
    owner = formats()[suffix].module
    with pytest.raises(OptionError, match=rf"{suffix}.*{__name__}.*{owner}"):
        flowgrad.register_format([suffix], reader=read_ones)


def test_a_suffix_of_flowgrads_is_taken_before_anything_was_read():
    code = """
import flowgrad
def read(path): ...
flowgrad.register_format([".csv"], reader=read)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert re.search(r"OptionError: .*\.csv.*__main__.*flowgrad\.io\.tables", done.stderr)


def test_a_module_may_register_its_own_again():
    flowgrad.register_format([".ones"], reader=read_ones, keeps="one")
    flowgrad.register_format([".ones"], reader=read_ones, keeps="two")
    assert formats()[".ones"].keeps == "two"


@pytest.mark.parametrize(
    ("suffixes", "calls"),
    [
        ([".ones"], {}),
        ([".ones"], {"reader": read_ones, "steps": steps_of_ones}),
        (["ones"], {"reader": read_ones}),
        ([".ONES"], {"reader": read_ones}),
    ],
)
def test_what_is_no_format(suffixes, calls):
    with pytest.raises(OptionError, match=r"(?i)ones"):
        flowgrad.register_format(suffixes, **calls)


def test_every_format_says_what_it_keeps():
    assert all(each.keeps and (each.reader is None) != (each.steps is None) for each in formats().values())
