"""Each extra uninstalled in turn: the error names it."""

from __future__ import annotations

import gzip

import pytest

from flowgrad.errors import MissingDependencyError
from flowgrad.io import read_contents

HDF = """<?xml version="1.0" ?>
<Xdmf Version="3.0"><Domain><Grid Name="Grid" GridType="Uniform">
<Geometry GeometryType="XY"><DataItem DataType="Float" Dimensions="3 2" Format="HDF">a.h5:/points</DataItem></Geometry>
</Grid></Domain></Xdmf>
"""
CASES = [
    ("netCDF4", "a.nc", "CDF", "netcdf"),
    ("netCDF4", "a.exo", "CDF", "netcdf"),
    ("h5py", "a.xdmf", HDF, "hdf5"),
    ("vtkmodules", "a.vtk", "# vtk DataFile Version 5.1\nt\nASCII\nDATASET POLYDATA\n", "vtk"),
    ("vtkmodules", "a.vtkhdf", "x", "vtk"),
    ("vtkmodules", "a.case", "x", "vtk"),
    ("vtkmodules", "a.cgns", "x", "vtk"),
]


@pytest.fixture
def without(tmp_path, monkeypatch):
    """Hide a module from the processes that read."""

    def hide(module: str) -> None:
        (tmp_path / "hidden").mkdir()
        (tmp_path / f"hidden/{module}.py").write_text(f"raise ModuleNotFoundError(\"No module named '{module}'\")\n")
        monkeypatch.setenv("PYTHONPATH", str(tmp_path / "hidden"))

    return hide


@pytest.mark.parametrize(("module", "name", "text", "extra"), CASES, ids=[case[1] for case in CASES])
def test_the_error_names_the_extra(tmp_path, without, module, name, text, extra):
    without(module)
    (tmp_path / "a.h5").write_bytes(b"x")
    (tmp_path / name).write_text(text)
    with pytest.raises(MissingDependencyError, match=rf"needs {module}: install flowgrad\[{extra}\]"):
        read_contents(tmp_path / name)


def test_compressed_too(tmp_path, without):
    without("netCDF4")
    (tmp_path / "a.nc.gz").write_bytes(gzip.compress(b"CDF"))
    with pytest.raises(MissingDependencyError, match=r"flowgrad\[netcdf\]"):
        read_contents(tmp_path / "a.nc.gz")
