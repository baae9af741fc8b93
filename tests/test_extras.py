"""Each extra of pyproject.toml uninstalled in turn: one line of error names it."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]

READ = "flowgrad.read({!r})"
RUN = "from flowgrad.cli import main; sys.exit(main({!r}))"
FUNCTION = "flowgrad.velocity_gradient(lambda x: x, at=[[0.0, 0, 0]], backend={!r})"
RESULT = "flowgrad.{}(flowgrad.velocity_gradient(flowgrad.exact.SimpleShear(1.0), at=[[0.0, 0, 0]]))"

XDMF = """<?xml version="1.0" ?>
<Xdmf Version="3.0"><Domain><Grid Name="Grid" GridType="Uniform">
<Geometry GeometryType="XY"><DataItem DataType="Float" Dimensions="3 2" Format="HDF">a.vtkhdf:/p</DataItem></Geometry>
</Grid></Domain></Xdmf>
"""
LZ4 = """<VTKFile type="UnstructuredGrid" version="1.0" header_type="UInt64" byte_order="LittleEndian"
 compressor="vtkLZ4DataCompressor"><UnstructuredGrid><Piece NumberOfPoints="1" NumberOfCells="0">
<Points><DataArray type="Float64" NumberOfComponents="3" format="binary">
AQAAAAAAAAAYAAAAAAAAAAAAAAAAAAAACAAAAAAAAAAeAAEAUAAAAAA=
</DataArray></Points><Cells><DataArray Name="connectivity" type="Int64" format="ascii"></DataArray>
<DataArray Name="offsets" type="Int64" format="ascii"></DataArray>
<DataArray Name="types" type="UInt8" format="ascii"></DataArray></Cells></Piece></UnstructuredGrid></VTKFile>
"""
FILES = {"a.vtkhdf": "x", "a.xdmf": XDMF, "a.nc": "CDF", "a.vtu": LZ4, "a.xlsx": "PK\x03\x04"}

# The modules that an extra brings, and what needs them.
USES = {
    "vtk": (("vtk", "vtkmodules"), READ.format("a.vtkhdf")),
    "hdf5": (("h5py",), READ.format("a.xdmf")),
    "netcdf": (("netCDF4",), READ.format("a.nc")),
    "lz4": (("lz4",), READ.format("a.vtu")),
    "formula": (("sympy",), RUN.format(["derive", "x^2"])),
    "dask": (("dask", "distributed"), RUN.format(["run", "a.vtu", "-o", "out", "--engine", "dask"])),
    "pandas": (("pandas",), RESULT.format("to_pandas")),
    "excel": (("python_calamine",), "flowgrad.read_flow_curves('a.xlsx')"),
    "xarray": (("xarray",), RESULT.format("to_xarray")),
    "pyvista": (("pyvista", "vtk", "vtkmodules"), RESULT.format("to_pyvista")),
    "torch": (("torch",), FUNCTION.format("torch")),
    "jax": (("jax",), FUNCTION.format("jax")),
    "benchmark": (
        ("pyvista", "vtk", "vtkmodules", "findiff", "skfem"),
        f"import runpy; runpy.run_path({str(ROOT / 'scripts/benchmark.py')!r})",
    ),
}
CODE = """
import sys
import flowgrad
try:
    {}
except flowgrad.FlowgradError as error:
    print(f"{{type(error).__name__}}: {{error}}", file=sys.stderr)
"""


def test_every_extra_has_a_case():
    """That of the developers is not for users."""
    assert set(EXTRAS) - {"dev"} == set(USES)


@pytest.mark.parametrize("extra", USES)
def test_the_error_names_the_extra(tmp_path, extra):
    modules, use = USES[extra]
    for module in modules:
        missing = f"raise ModuleNotFoundError(\"No module named '{module}'\", name='{module}')\n"
        (tmp_path / f"{module}.py").write_text(missing)
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    done = subprocess.run(
        [sys.executable, "-c", CODE.format(use)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])},
        capture_output=True,
        text=True,
        check=False,
    )
    *_, said = [line for line in done.stderr.splitlines() if line.strip()]
    assert f"flowgrad[{extra}]" in said, done.stderr
    assert "Traceback" not in done.stderr
