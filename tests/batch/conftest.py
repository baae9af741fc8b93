"""Small flows to run, and workers that fail as they are told."""

import os
from pathlib import Path

import numpy as np
import pytest

from flowgrad import Options
from flowgrad.batch.settings import Cases
from flowgrad.io import write_vtu
from tests import meshes

# What the worker does with a file of this name.
_FAULTS = """
import os, signal, subprocess, sys, time
if "-m" in sys.orig_argv and "flowgrad.batch.worker" in sys.orig_argv:
    import flowgrad.batch.process_file as attempt
    process = attempt._process
    def faulty(task, differentiate):
        if task.name == "hangs":
            child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
            open(task.source + ".child", "w").write(str(child.pid))
            open(task.target.with_name(".hangs.vtu.12345678.part"), "w").write("half")
            time.sleep(60)
        if task.name == "crashes":
            os.kill(os.getpid(), signal.SIGSEGV)
        if task.name == "exits":
            os._exit(3)
        if task.name == "grows":
            import numpy
            held = numpy.ones(10**9)
        if task.name == "slow":
            time.sleep(1)
        return process(task, differentiate)
    attempt._process = faulty
"""


def write_flow(path: Path, seed: int = 0) -> Path:
    """A flow of linear and random parts on tetrahedra."""
    path.parent.mkdir(parents=True, exist_ok=True)
    mesh = meshes.SOLIDS["tetra"]
    noise = np.random.default_rng(seed).normal(size=mesh.points.shape)
    write_vtu(path, mesh, {"U": mesh.points[:, [1, 2, 0]] + 0.1 * noise})
    return path


@pytest.fixture
def usual():
    """The options that a run has unless told otherwise."""
    return Cases(Options())


@pytest.fixture
def faults(tmp_path_factory, monkeypatch):
    """Workers that hang, crash, exit or grow at files of these names."""
    folder = tmp_path_factory.mktemp("faults")
    (folder / "sitecustomize.py").write_text(_FAULTS)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")]))
    return folder
