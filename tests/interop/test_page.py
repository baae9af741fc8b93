"""The program on the page about other tools does what the page says."""

import re
from pathlib import Path

import numpy as np
import pytest

import flowgrad

ROOT = Path(__file__).resolve().parents[2]


def test_the_program_on_the_page(monkeypatch):
    for tool in ("pyvista", "pandas"):
        pytest.importorskip(tool, reason=f"{tool} is not installed")
    monkeypatch.chdir(ROOT)
    (text,) = re.findall(r"^```python\n(.*?)^```", (ROOT / "docs" / "tools.md").read_text(), re.M | re.S)
    names = {}
    exec(text, names)
    assert names["blocks"].keys() == ["internal", "cylinder", "down", "left", "right", "up"]
    flow, same = names["flow"], names["same"]
    np.testing.assert_array_equal(flowgrad.velocity_gradient(same).L, flowgrad.velocity_gradient(flow).L)
    assert {"shear_rate", "vorticity"} <= set(names["grid"].cell_data)
    assert len(names["mesh"].cells[0].data) == len(names["table"]) == 1800
