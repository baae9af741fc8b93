"""The Dask engine: the same bytes, the same manifest, and lost workers cost nothing."""

import os
import signal
import sys
import threading
import time

import pytest

from flowgrad import OptionError
from flowgrad.batch.manifest import read_all
from flowgrad.batch.run import run
from flowgrad.batch.settings import Settings
from flowgrad.errors import MissingDependencyError
from tests.batch.conftest import write_flow

pytestmark = pytest.mark.slow


def test_without_dask_the_error_names_the_extra(tmp_path, usual, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(MissingDependencyError, match=r"flowgrad\[dask\]"):
        run([write_flow(tmp_path / "a.vtu")], tmp_path / "out", usual, Settings(engine="dask"))


def test_the_results_are_those_of_the_local_engine(tmp_path, usual, faults):
    pytest.importorskip("distributed")
    flows = [write_flow(tmp_path / f"{name}.vtu", seed) for seed, name in enumerate(("a", "b", "c", "exits"))]
    flows[2].write_text("nothing")
    local = run(flows, tmp_path / "local", usual, Settings(timeout=60, no_report=True))
    cluster = run(flows, tmp_path / "dask", usual, Settings(jobs=2, timeout=60, engine="dask", no_report=True))
    for one, other in zip(local, cluster, strict=True):
        assert (one.state, one.kind, one.reason, one.row) == (other.state, other.kind, other.reason, other.row)
        assert (one.inputs, one.sizes, one.version) == (other.inputs, other.sizes, other.version)
    for path in (tmp_path / "local").glob("[ab].*"):
        assert path.read_bytes() == (tmp_path / "dask" / path.name).read_bytes()


def test_a_lost_worker_of_dask_is_replaced(tmp_path, usual, faults):
    distributed = pytest.importorskip("distributed")
    flows = [write_flow(tmp_path / f"{name}.vtu") for name in ("a", "slow", "b")]
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=True, dashboard_address="127.0.0.1:0"
    ) as cluster:
        with distributed.Client(cluster) as client:
            (pid,) = client.run(os.getpid).values()

        def kill():
            while not any(each.state == "done" for each in read_all(tmp_path / "out").values()):
                time.sleep(0.02)
            os.kill(pid, signal.SIGKILL)

        killer = threading.Thread(target=kill, daemon=True)
        killer.start()
        settings = Settings(engine="dask", scheduler=cluster.scheduler_address, no_report=True)
        records = run(flows, tmp_path / "out", usual, settings)
        killer.join(timeout=5)
    assert [record.state for record in records] == ["done"] * 3


def test_a_scheduler_that_does_not_answer_is_told(tmp_path, usual, monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr("flowgrad.batch.dask_engine._ANSWER", 0.3)
    settings = Settings(engine="dask", scheduler="tcp://127.0.0.1:1", no_report=True)
    with pytest.raises(OptionError, match=r"127\.0\.0\.1:1: no scheduler"):
        run([write_flow(tmp_path / "a.vtu")], tmp_path / "out", usual, settings)
