"""Every format, cut off and changed at random: a refusal of one line that names the file, or all that it declares.

``FLOWGRAD_DAMAGE=50,500`` makes so many cuts and changes of each, which takes an hour; usually there are a few.
"""

from __future__ import annotations

import os
from collections import Counter

import pytest

pytest.importorskip("vtkmodules", reason="VTK writes the files")
pytest.importorskip("h5py", reason="meshio writes some of the files with it")
pytest.importorskip("netCDF4", reason="writes some of the files")

from flowgrad.io import formats, read_contents, subprocess_reader
from tests.io.damage import damages, outcome
from tests.io.fork_server import ForkServer
from tests.io.small_files import MAKERS

pytestmark = pytest.mark.slow

COUNTS = tuple(map(int, os.environ.get("FLOWGRAD_DAMAGE", "4,16").split(",")))
# What their files do not tell: tables have no cells, nor a number of rows but for DaVis' and Tecplot's; of names that
# it does not know, VTK says nothing.
TABLE = {"cells", "values"}
UNTOLD = {
    **{name: TABLE | {"points"} for name in ("a.csv", "a.tsv")},
    **dict.fromkeys(("a.txt", "a.vec", "a.v3d", "a.plt"), TABLE),
    **{name: {"point_arrays", "cell_arrays"} for name in ("a.vtkhdf", "a.hdf", "a.cas")},
    # Cut between two sections they are whole files of fewer arrays.
    **{name: {"point_arrays", "cell_arrays", "values"} for name in ("ascii a.msh", "old a.msh", "views a.msh")},
}
VELOCITY = dict.fromkeys(("a.ele", "a.node"), "tetgen:attr1,tetgen:attr2")


@pytest.fixture(scope="module")
def server():
    server = ForkServer(longest=3)
    yield server
    server.close()


def test_there_is_a_file_of_every_suffix():
    made = {name.split()[-1].removeprefix("a.vtu").removeprefix("a") or ".vtu" for name in MAKERS}
    assert made == set(formats())


@pytest.mark.parametrize("name", MAKERS)
def test_damage(name, tmp_path, monkeypatch, server):
    monkeypatch.setattr(subprocess_reader, "run_worker", server.run)
    # meshio writes the HDF5 file of an XDMF file into the current directory.
    monkeypatch.chdir(tmp_path)
    path, files = MAKERS[name](tmp_path)
    whole, untold, found = read_contents(path), UNTOLD.get(name, set()), Counter()
    for damage in damages(files, *COUNTS, seed=len(name)):
        said = outcome(path, whole, damage, untold, VELOCITY.get(name))
        assert said in ("refused", "read"), f"{damage.file.name}, {damage.what}: {said}"
        found[said] += 1
    assert found["refused"] >= found.total() // 10
