"""Plugins: what an installed package registers is known to the command and its workers; one that fails is named."""

import json
import os
import subprocess
import sys

import pytest

from tests.batch.conftest import write_flow

pytestmark = pytest.mark.slow

_QUANTITY = '''
import numpy as np
from flowgrad.kinematics.registry import quantity

@quantity(r"2\\\\dot\\\\gamma", "1/T", reference="this test")
def twice_the_rate(shear_rate: np.ndarray) -> np.ndarray:
    """Twice the shear rate."""
    return 2 * shear_rate
'''


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """A package as pip leaves it, with a module of the given text as its plugin."""

    def install(text, target="theirs"):
        folder = tmp_path / "site"
        about = folder / "theirs-1.5.dist-info"
        about.mkdir(parents=True)
        (folder / "theirs.py").write_text(text)
        (about / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 1.5\n")
        (about / "entry_points.txt").write_text(f"[flowgrad.plugins]\ntwice = {target}\n")
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")]))

    return install


def flowgrad(*words):
    command = [sys.executable, "-m", "flowgrad", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_quantity_of_a_plugin_is_listed_and_computed_in_workers_too(installed, tmp_path):
    installed(_QUANTITY)
    assert "twice_the_rate" in flowgrad("list", "quantities").stdout
    flow = write_flow(tmp_path / "a.vtu")
    words = ("run", flow, "-o", tmp_path / "out", "--quantities", "shear_rate,twice_the_rate", "--no-report", "-q")
    done = flowgrad(*words, "--timeout", "60")
    assert done.returncode == 0, done.stderr
    statistics = json.loads((tmp_path / "out" / "a.json").read_text())["statistics"]
    assert statistics["twice_the_rate"]["maximum"] == 2 * statistics["shear_rate"]["maximum"]


def test_a_function_may_register(installed):
    installed(f"def register():\n    exec({_QUANTITY!r}, {{'__name__': 'theirs'}})\n", "theirs:register")
    assert "twice_the_rate" in flowgrad("list", "quantities").stdout


def test_one_that_fails_is_named_with_its_package_and_help_still_works(installed):
    installed("import a_module_that_is_not_there\n")
    found = flowgrad("list", "quantities")
    assert found.returncode == 1
    for fact in ("'twice'", "theirs 1.5", "a_module_that_is_not_there"):
        assert fact in found.stderr
    assert flowgrad("--help").returncode == 0


def test_a_name_that_is_taken_is_refused_by_name(installed):
    installed(_QUANTITY.replace("twice_the_rate", "vorticity").replace("2 * shear_rate", "shear_rate"))
    found = flowgrad("list", "quantities")
    assert found.returncode == 1
    assert "vorticity" in found.stderr
