"""A series of files is prepared once for each worker, and no result depends on those before it."""

import dataclasses

import numpy as np
import pytest

from flowgrad import Flow, Mesh, MeshError, velocity_gradient
from flowgrad.batch.process_file import repeated
from flowgrad.batch.run import run
from flowgrad.batch.settings import Settings
from flowgrad.gradient import prepared as compute
from tests import meshes
from tests.batch.conftest import write_flow

HOW = {"error": False, "second": False, "steady": False}


def flows(kind, count, location="points", first=0):
    """Flows on equal meshes that are objects of their own."""
    for number in range(first, first + count):
        base = meshes.SOLIDS[kind]
        mesh = Mesh(base.points.copy(), base.cells)
        size = len(mesh.points if location == "points" else mesh)
        yield Flow(mesh, np.random.default_rng(number).normal(size=(size, 3)), location)


@pytest.fixture
def prepared(monkeypatch):
    """Every preparation that is made."""
    made, prepare = [], compute.prepare
    monkeypatch.setattr(compute, "prepare", lambda *args: made.append(args) or prepare(*args))
    return made


@pytest.mark.parametrize("kind", sorted(meshes.SOLIDS))
@pytest.mark.parametrize("location", ["points", "cells"])
def test_the_same_bits_with_one_preparation(kind, location, prepared):
    differentiate = repeated()
    found = [differentiate(flow, "auto", None, **HOW).L for flow in flows(kind, 5, location)]
    assert len(prepared) == 1
    for L, flow in zip(found, flows(kind, 5, location), strict=True):
        np.testing.assert_array_equal(L, velocity_gradient(flow, "auto", None, **HOW).L)


def test_what_differs_is_prepared_anew(prepared):
    differentiate = repeated()

    def take(flow, scheme="finite-difference(order=1)", at=None, **how):
        made = len(prepared)
        found = differentiate(flow, scheme, at, **HOW | how)
        count = len(prepared) - made
        alone = velocity_gradient(flow, scheme, at, **HOW | how)
        np.testing.assert_array_equal(found.L, alone.L)
        assert (found.notes, found.scheme, found.reason) == (alone.notes, alone.scheme, alone.reason)
        return count

    first, second, third, fourth = flows("tetra", 4)
    assert [take(first), take(second), take(third)] == [1, 0, 0]
    velocity = fourth.velocity.copy()
    velocity[3] = np.nan
    holes = dataclasses.replace(fourth, velocity=velocity)
    assert take(holes) == 1
    assert take(third, at="cells") == 1
    assert take(third, "autodiff") == 1
    assert take(next(flows("tetra", 1, "cells"))) == 1
    moved = dataclasses.replace(third, mesh=Mesh(third.mesh.points * (1 + 1e-15), third.mesh.cells))
    assert take(third) + take(third) + take(moved) + take(third) == 3


def test_an_error_is_not_carried_on():
    differentiate = repeated()
    one, two, three, four = flows("tetra", 4)
    for flow in (one, two):
        differentiate(flow, "auto", None, **HOW)
    broken = dataclasses.replace(three, velocity=np.full_like(three.velocity, np.nan))
    with pytest.raises(MeshError, match="nothing to differentiate"):
        differentiate(broken, "auto", None, **HOW)
    np.testing.assert_array_equal(differentiate(four, "auto", None, **HOW).L, velocity_gradient(four).L)


@pytest.mark.slow
def test_one_worker_writes_what_each_file_has_alone(tmp_path, usual):
    files = [write_flow(tmp_path / f"{name}.vtu", seed) for seed, name in enumerate("abcd")]
    run(files, tmp_path / "series", usual, Settings(timeout=60, no_report=True))
    for file in files:
        run([file], tmp_path / "alone", usual, Settings(no_report=True))
        for end in (".vtu", ".json"):
            name = f"{file.stem}{end}"
            assert (tmp_path / "series" / name).read_bytes() == (tmp_path / "alone" / name).read_bytes()
