"""What a worker's share of the cores is, holds for reading too."""

import threading

import numpy as np
import pytest

from flowgrad.io import read_contents
from flowgrad.io.vtk_xml import blocks
from tests import meshes

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(("threads", "most"), [(1, 0), (2, 2), (64, 4)])
def test_blocks_are_expanded_on_the_threads_that_kernels_may_use(tmp_path, monkeypatch, threads, most):
    pytest.importorskip("vtkmodules", reason="VTK writes compressed files")
    from tests.io import vtk_twin as twin

    monkeypatch.setattr(blocks, "threads", lambda: threads)
    monkeypatch.setattr(blocks, "_WORTH_THREADS", 1)
    seen, expand = set(), blocks._expand

    def noted(*args):
        seen.add(threading.get_ident())
        return expand(*args)

    monkeypatch.setattr(blocks, "_expand", noted)
    pools = []

    class Pool(blocks.ThreadPoolExecutor):
        def __init__(self, count):
            pools.append(count)
            super().__init__(count)

    monkeypatch.setattr(blocks, "ThreadPoolExecutor", Pool)
    mesh = meshes.SOLIDS["tetra"]
    from tests.vtk_peer import vtk_grid

    twin.write_with_vtk(vtk_grid(mesh, mesh.points), tmp_path / "a.vtu", kind="UnstructuredGrid", block=64)
    np.testing.assert_array_equal(read_contents(tmp_path / "a.vtu").mesh.points, mesh.points)
    assert set(pools) == ({most} if most else set())
    assert (seen == {threading.get_ident()}) == (most == 0)
