"""A velocity given as a function: its gradient beside the plain evaluation and beside other packages' autodiff."""

from __future__ import annotations

import gc
import importlib.util
import json
import re
import resource
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from flowgrad import velocity_gradient
from flowgrad.exact import Vortices
from scripts.benchmarks.measuring import Accuracy, Rows, Sizes, Speed, timed
from scripts.convergence.table import number

ROOT = Path(__file__).resolve().parent.parent.parent
# Run in a process of its own, so that nothing else has used the memory.
_CHILD = """
import json, sys
sys.path.insert(0, sys.argv[1])
from scripts.benchmarks.functions import measured_memory
print(json.dumps(measured_memory(int(sys.argv[2]))))
"""
_REPEATS = 5
# Points of the test of memory, over those of the times.
_MORE = 10
_STATUS = Path("/proc/self/status")
# Of ru_maxrss: kilobytes, on macOS bytes.
_UNIT = 1 if sys.platform == "darwin" else 1024

Gradient = Callable[[], np.ndarray]

_V = "v itself with NumPy"


def functions(sizes: Sizes) -> Rows:
    """Times for L at many points, the errors beside, and the peak memory at ten times as many."""
    points = positions(sizes.positions)
    tasks = dict(_tasks(points))
    times, largest = _measured(tasks, Vortices().gradient(points))
    ours = times.pop("flowgrad")
    what = f"L of a function at {len(points):,} points"
    for name, seconds in times.items():
        count, asked = _ASKED[name]
        yield Speed(what, ours, f"{count} times {name}" if count > 1 else name, count * seconds, asked)
    beside = ", ".join(f"{name} {number(error)}" for name, error in largest.items() if name != "flowgrad")
    yield Accuracy(f"{what}: largest error over the largest component", (largest["flowgrad"],), beside, (1e-12,))
    yield _memory(_MORE * sizes.positions)


def positions(count: int) -> np.ndarray:
    """Random points (count, 3) in [0, 2π]³."""
    return np.random.default_rng(0).uniform(0, 2 * np.pi, (count, 3))


def velocity(x: np.ndarray) -> np.ndarray:
    """(sin x cos y cos z, −cos x sin y cos z, 0.3 x sin 2z) at points (…, 3)."""
    return np.stack(components(np, x), axis=-1)


def components(module: Any, x: Any) -> list[Any]:
    """The same with the functions of any package."""
    sin, cos = module.sin, module.cos
    a, b, c = x[..., 0], x[..., 1], x[..., 2]
    return [sin(a) * cos(b) * cos(c), -cos(a) * sin(b) * cos(c), 0.3 * a * sin(2 * c)]


def _tasks(points: np.ndarray) -> Iterator[tuple[str, Gradient]]:
    """What is timed: v, flowgrad, and the peers that are installed; the names of others are printed."""
    yield _V, lambda: velocity(points)
    yield "flowgrad", lambda: velocity_gradient(velocity, at=points).L
    for package, (name, task) in _PEERS.items():
        if importlib.util.find_spec(package):
            yield name, task(points)
        else:
            print(f"without {name}: pip install {package}", file=sys.stderr)


def _measured(tasks: dict[str, Gradient], exact: np.ndarray) -> tuple[dict[str, float], dict[str, float]]:
    """Median seconds of each, in turn as other users of the machine come and go, after two runs that do not
    count; and its largest error."""
    scale = np.abs(exact).max()
    errors = {name: float(np.abs(task() - exact).max() / scale) for name, task in tasks.items() if name != _V}
    turns = [{name: timed(task) for name, task in tasks.items()} for _ in range(1 + _REPEATS)][1:]
    return {name: statistics.median(turn[name] for turn in turns) for name in tasks}, errors


def _torch(points: np.ndarray) -> Gradient:
    import torch

    gradient = torch.func.vmap(torch.func.jacfwd(lambda x: torch.stack(components(torch, x), dim=-1)))
    tensor = torch.from_numpy(points)
    return lambda: gradient(tensor).numpy()


def _hips(points: np.ndarray) -> Gradient:
    """By elementwise_grad of each component, in one pass backwards for all points."""
    import autograd.numpy
    from autograd import elementwise_grad

    rows = [elementwise_grad(lambda x, i=i: components(autograd.numpy, x)[i]) for i in range(3)]
    return lambda: np.stack([row(points) for row in rows], axis=1)


def _jax(points: np.ndarray) -> Gradient:
    """Compiled before the runs that count, in float64."""
    import jax

    gradient = jax.jit(jax.vmap(jax.jacfwd(lambda x: jax.numpy.stack(components(jax.numpy, x), axis=-1))))

    def task() -> np.ndarray:
        with jax.enable_x64(True):
            return np.asarray(gradient(points))

    return task


_PEERS: dict[str, tuple[str, Callable[[np.ndarray], Gradient]]] = {
    "torch": ("torch.func.vmap(jacfwd)", _torch),
    "autograd": ("HIPS autograd (elementwise_grad)", _hips),
    "jax": ("jitted jax.vmap(jacfwd)", _jax),
}
# How many of its runs a row counts, and how many times faster than those flowgrad is wanted to be.
_ASKED = {_V: (2, 1.0), _PEERS["torch"][0]: (1, 1.5), _PEERS["autograd"][0]: (1, 2.0), _PEERS["jax"][0]: (2, 1.0)}


def _memory(count: int) -> Accuracy:
    command = [sys.executable, "-c", _CHILD, str(ROOT), str(count)]
    found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    what = f"memory for L of a function at {count:,} points, over that of the velocities and L"
    return Accuracy(what, (found["used"] / found["result"],), "", (1.25,))


def measured_memory(count: int) -> dict[str, float]:
    """Bytes that the process grows to for the gradient at its peak, and bytes of velocities and gradients."""
    velocity_gradient(velocity, at=positions(1000))  # what is loaded once does not count
    points = positions(count)
    gc.collect()
    before = _peak()
    gradient = velocity_gradient(velocity, at=points)
    return {"used": _peak() - before, "result": gradient.L.nbytes + gradient.flow.velocity.nbytes}


def _peak() -> int:
    """Of this process alone: ru_maxrss begins with its parent's on Linux."""
    if _STATUS.exists():
        return 1024 * int(re.search(r"VmHWM:\s*(\d+) kB", _STATUS.read_text())[1])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _UNIT
