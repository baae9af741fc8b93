"""The examples of docs/extending.md, as an installed package of their own that registers itself by entry points."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
PROJECT = tomllib.loads(re.search(r"^```toml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)[1])["project"]
POINTS = PROJECT["entry-points"]["flowgrad.plugins"]


def installed(folder: Path, modules: dict[str, str], points: dict[str, str]) -> dict[str, str]:
    """The environment of a process that finds a package of these modules, installed with these entry points."""
    package = folder / "flowgrad_examples"
    package.mkdir()
    (package / "__init__.py").touch()
    for name, text in modules.items():
        (package / name).write_text(text, encoding="utf-8")
    about = folder / "flowgrad_examples-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {PROJECT['name']}\nVersion: {PROJECT['version']}\n")
    lines = [f"{name} = {module}" for name, module in points.items()]
    (about / "entry_points.txt").write_text("\n".join(["[flowgrad.plugins]", *lines, ""]))
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)])}


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """With the package of the page."""
    blocks = re.findall(r"`flowgrad_examples/(\w+\.py)`.*?^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    assert sorted(f"flowgrad_examples.{name.removesuffix('.py')}" for name, _ in blocks) == sorted(POINTS.values())
    return installed(tmp_path_factory.mktemp("site"), dict(blocks), POINTS)


def flowgrad(environment, *arguments, code=0):
    """What the command prints on both outputs."""
    command = [sys.executable, "-m", "flowgrad", *map(str, arguments)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == code, done.stderr
    return done.stdout + done.stderr


def python(environment, text):
    """What a program prints, as JSON."""
    command = [sys.executable, "-c", text]
    return json.loads(subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout)


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("schemes", "edge-differences"),
        ("formats", ".xyzuvw"),
        ("quantities", "stretching_ratio"),
        ("models", "de-kee-turcotte"),
    ],
)
def test_the_command_lists_what_a_package_brings(environment, kind, name):
    assert name in flowgrad(environment, "list", kind)


def test_the_command_runs_with_scheme_quantity_and_model(environment, tmp_path, data):
    arguments = ("--scheme", "edge-differences(power=1)", "--error", "--quantities", "stretching_ratio")
    law = ("--viscosity", "de-kee-turcotte(tau0=0.1, eta1=2, t1=0.5)")
    flowgrad(environment, "run", data / "cavity3Dtet.vtu", "-o", tmp_path, "--location", "points", *arguments, *law)
    result = json.loads((tmp_path / "cavity3Dtet.json").read_text(encoding="utf-8"))
    assert result["gradient"]["scheme"] == "edge-differences(power=1)"
    assert result["verdict"] == "yield-stress"
    assert "finite-difference(order=2)" in " ".join(result["gradient"]["notes"])
    assert "stretching_ratio" in result["statistics"]
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "least squares over the points that share a cell" in page


def test_workers_know_what_a_package_brings(environment, tmp_path, data):
    copies = []
    for number in range(2):
        copies.append(tmp_path / f"flow{number}.vtu")
        copies[-1].write_bytes((data / "cavity3Dtet.vtu").read_bytes())
    options = ("--location", "points", "--scheme", "edge-differences", "--jobs", "2", "--no-report")
    flowgrad(environment, "run", *copies, "-o", tmp_path / "out", *options)
    for copy in copies:
        result = json.loads((tmp_path / "out" / f"{copy.stem}.json").read_text(encoding="utf-8"))
        assert result["gradient"]["scheme"] == "edge-differences"


def test_a_linear_field_is_read_and_differentiated_exactly(environment, tmp_path):
    generator = np.random.default_rng(1)
    points, L = generator.random((200, 3)), np.array([[4.0, -3, 7], [3, 4, 0], [5, 10, 10]])
    np.savetxt(tmp_path / "cloud.xyzuvw", np.hstack([points, points @ L.T]))
    program = f"""
import json, flowgrad
flowgrad.plugins.load()
cloud = flowgrad.read({str(tmp_path / "cloud.xyzuvw")!r})
tets = flowgrad.read({str(ROOT / "data" / "cavity3Dtet.vtu")!r}, location="points")
L = {L.tolist()!r}
flow = flowgrad.Flow(tets.mesh, tets.mesh.points @ __import__("numpy").array(L).T, "points")
print(json.dumps([flowgrad.velocity_gradient(cloud).L.tolist(),
                  flowgrad.velocity_gradient(flow, "edge-differences").L.tolist()]))
"""
    for found in python(environment, program):
        np.testing.assert_allclose(found, np.broadcast_to(L, np.shape(found)), rtol=0, atol=1e-9)


def test_a_fit_finds_the_model(environment):
    program = """
import json, numpy as np, flowgrad
flowgrad.plugins.load()
rate = np.geomspace(0.01, 10, 25)
stress = 3 + 2 * rate * np.exp(-0.1 * rate)
fit = flowgrad.fit_flow_curve(rate, stress, models=["de-kee-turcotte"]).best
print(json.dumps(fit.model.parameters))
"""
    assert python(environment, program) == pytest.approx({"tau0": 3, "eta1": 2, "t1": 0.1}, rel=1e-5)


TAKEN = {
    "quantity": ("@flowgrad.quantity()\ndef shear_rate(D):\n    return D[:, 0, 0]\n", "shear_rate"),
    "model": (
        "from flowgrad.rheology.model import Viscosity\n"
        "class Mine(flowgrad.Model, name='carreau', citation='none'):\n    eta: Viscosity\n",
        "carreau",
    ),
    "format": ("def mine(path):\n    return None\nflowgrad.register_format(['.vtu'], reader=mine)\n", ".vtu"),
    "scheme": (
        "from flowgrad.gradient import Scheme\n"
        "class Mine(Scheme):\n    def prepare(self, flow, at):\n        return None\n"
        "flowgrad.register_scheme('autodiff', Mine, summary='mine')\n",
        "autodiff",
    ),
}


@pytest.mark.parametrize("kind", TAKEN)
def test_a_name_that_is_taken_is_refused_by_both_sides(kind, tmp_path, data):
    text, name = TAKEN[kind]
    environment = installed(tmp_path, {"taken.py": f"import flowgrad\n{text}"}, {"mine": "flowgrad_examples.taken"})
    said = flowgrad(environment, "info", data / "cavity.vtu", code=1)
    assert name in said
    assert "flowgrad_examples.taken" in said
    assert re.search(r"flowgrad\.(kinematics|rheology|io|gradient)\.", said), said
