"""A small valid file of every format that is read: one flow on a few cells, or on a lattice of 4 × 3 (× 3) points."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from flowgrad import Mesh
from flowgrad.io import write_vtu
from flowgrad.mesh.generate import block
from tests.io.test_composite import blocks, collection
from tests.io.test_lattices import made
from tests.io.test_openfoam_case import channel
from tests.io.test_parallel import parallel, two
from tests.io.test_tables import FORMS, ROWS
from tests.io.test_vtk_readers import CASE, FLUENT_CASE, image, legacy, polygons, unstructured, write_cgns
from tests.io.vtk_twin import write_with_vtk

Made = tuple[Path, list[Path]]


def mesh() -> Mesh:
    """Tetrahedra in a cube."""
    return block("tetra", 2, 1.0)


def _alone(path: Path) -> Made:
    return path, [path]


def ours(folder: Path, name: str) -> Made:
    flow = mesh()
    write_vtu(folder / name, flow, {"U": flow.points}, {"p": flow.measures}, {"TimeValue": 0.5})
    return _alone(folder / name)


def of_vtk(folder: Path, name: str, make: Callable[[], Any], kind: str, **layout: Any) -> Made:
    write_with_vtk(make(), folder / name, kind=kind, **layout)
    return _alone(folder / name)


def _data(count: int) -> dict[str, np.ndarray]:
    values = np.linspace(0, 1, 3 * count).reshape(count, 3)
    return {"U": values, "p": values[:, 0].copy()}


def lattice(kind: str) -> Any:
    return made(kind, (0, 3, 0, 2, 0, 2), _data)


def in_parallel(folder: Path, name: str, make: Callable[[], Any], kind: str) -> Made:
    from vtkmodules import vtkIOParallelXML

    writer = getattr(vtkIOParallelXML, f"vtkXMLP{kind}Writer")()
    writer.SetInputData(make())
    writer.SetNumberOfPieces(2)
    writer.SetStartPiece(0)
    writer.SetEndPiece(1)
    writer.SetFileName(str(folder / name))
    assert writer.Write()
    return folder / name, [folder / name, min(each for each in folder.iterdir() if each.name != name)]


def several(folder: Path, name: str) -> Made:
    two(folder)
    pieces = [folder / "l.vtu", folder / "r.vtu"]
    if name.endswith(".pvtu"):
        return parallel(folder, ["l.vtu", "r.vtu"]), [folder / name, *pieces]
    if name.endswith(".pvd"):
        return collection(folder, ("0", "l.vtu"), ("1", "r.vtu")), [folder / name, *pieces]
    if name.endswith(".vtm"):
        return blocks(folder, internal="l.vtu"), [folder / name, pieces[0]]
    (folder / name).write_text(json.dumps({"files": [{"name": "l.vtu", "time": 0}, {"name": "r.vtu", "time": 1}]}))
    return folder / name, [folder / name, *pieces]


def table(folder: Path, name: str, form: str) -> Made:
    head, row, _ = FORMS[form]
    (folder / name).write_text(head + "".join(f"{row(*each)}\n" for each in ROWS))
    return _alone(folder / name)


def npz(folder: Path, name: str, compressed: bool) -> Made:
    x, y, u, v = np.array(ROWS).T.reshape(4, 3, 4)
    (np.savez_compressed if compressed else np.savez)(folder / name, x=x, y=y, u=u, v=v)
    return _alone(folder / name)


def netcdf(folder: Path, name: str, form: str) -> Made:
    import netCDF4

    sizes = {"time": 2, "z": 3, "y": 3, "x": 4}
    with netCDF4.Dataset(folder / name, "w", format=form) as file:
        for axis, count in sizes.items():
            file.createDimension(axis, count)
            file.createVariable(axis, "f8", (axis,))[:] = np.arange(count)
        for number, component in enumerate("uvw"):
            values = np.arange(float(np.prod(list(sizes.values())))).reshape(tuple(sizes.values()))
            file.createVariable(component, "f4", tuple(sizes), zlib=form == "NETCDF4")[:] = values * (1 + number)
    return _alone(folder / name)


def exodus(folder: Path, name: str) -> Made:
    from vtkmodules.vtkIOExodus import vtkExodusIIWriter

    writer = vtkExodusIIWriter()
    writer.SetFileName(str(folder / name))
    writer.SetInputData(unstructured())
    assert writer.Write() == 1
    return _alone(folder / name)


def through_meshio(folder: Path, name: str, form: str, point_only: bool = False, **options: Any) -> Made:
    import meshio

    flow = mesh()
    rows = flow.cells.connectivity.reshape(-1, 4)
    cell_data = {} if point_only else {"p": [np.arange(float(len(rows)))]}
    whole = meshio.Mesh(flow.points, [("tetra", rows)], {"U": flow.points[:, [1, 2, 0]]}, cell_data)
    meshio.write(folder / name, whole, file_format=form, **options)
    if b"np.float64(" in (data := (folder / name).read_bytes()):
        # meshio 5.3 writes numbers so with NumPy 2.
        (folder / name).write_bytes(re.sub(rb"np\.float64\(([^)]*)\)", rb"\1", data))
    files = [each for each in folder.iterdir() if each.is_file()]
    return folder / name, sorted(files, key=lambda each: each.name != name)


def xdmf(folder: Path, name: str, form: str) -> Made:
    import meshio

    flow = mesh()
    with meshio.xdmf.TimeSeriesWriter(folder / name, data_format=form) as writer:
        writer.write_points_cells(flow.points, [("tetra", flow.cells.connectivity.reshape(-1, 4))])
        for time in (0.0, 0.5):
            writer.write_data(time, point_data={"U": flow.points * time})
    beside = (folder / name).with_suffix(".h5")
    return folder / name, [folder / name, *([beside] if beside.exists() else [])]


def tetgen(folder: Path, name: str) -> Made:
    import meshio

    flow = mesh()
    columns = {f"U{axis}": flow.points[:, i] for i, axis in enumerate("xyz")}
    whole = meshio.Mesh(flow.points, [("tetra", flow.cells.connectivity.reshape(-1, 4))], columns)
    meshio.write(folder / name, whole, file_format="tetgen")
    return folder / name, sorted(folder.glob("a.*"))


def elements(folder: Path, name: str) -> Made:
    return through_meshio(folder, name, "tecplot")


def vtkhdf(folder: Path, name: str) -> Made:
    from vtkmodules.vtkIOHDF import vtkHDFWriter

    writer = vtkHDFWriter()
    writer.SetInputData(unstructured())
    writer.SetFileName(str(folder / "chunked"))
    assert writer.Write() == 1
    _compact(folder / "chunked", folder / name)
    return _alone(folder / name)


def matlab(folder: Path, name: str) -> Made:
    """As MATLAB saves it, compressed: each array has its checksum."""
    from scipy.io import savemat

    x, y = np.meshgrid(np.arange(5.0), np.arange(4.0))
    savemat(folder / name, {"x": x, "y": y, "u": np.sin(x + y), "v": x * y}, do_compression=True)
    return _alone(folder / name)


def _compact(source: Path, target: Path) -> None:
    """Copy HDF5 without the chunks, which are of megabytes."""
    import h5py

    with h5py.File(source) as old, h5py.File(target, "w") as new:
        group = new.create_group("VTKHDF")
        group.attrs.update(old["VTKHDF"].attrs)

        def copy(name: str, each: Any) -> None:
            if isinstance(each, h5py.Dataset):
                group.create_dataset(name, data=each[()])
            else:
                group.require_group(name).attrs.update(each.attrs)

        old["VTKHDF"].visititems(copy)
    source.unlink()


def ensight(folder: Path, name: str) -> Made:
    points = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]])
    numbers = "\n".join(f"{value:12.5e}" for value in points.T.ravel())
    (folder / name).write_text(CASE)
    (folder / "a.geo").write_text(
        "title\ntitle\nnode id off\nelement id off\npart\n         1\nfluid\ncoordinates\n         4\n"
        f"{numbers}\ntetra4\n         1\n         1         2         3         4\n"
    )
    for number in (0, 1):
        (folder / f"a.U{number}").write_text(f"U\npart\n         1\ncoordinates\n{numbers}\n")
    return folder / name, [folder / name, folder / "a.geo", folder / "a.U1"]


def cgns(folder: Path, name: str) -> Made:
    import h5py

    points = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1.0]])
    cells = np.array([[0, 1, 2, 3], [1, 2, 3, 4]])
    with h5py.File(folder / name, "w", track_order=True, libver="earliest") as file:
        write_cgns(file, points, cells, points[:, [1, 0, 2]])
    return _alone(folder / name)


def fluent(folder: Path, name: str) -> Made:
    (folder / name).write_text(FLUENT_CASE)
    values = [(111, "1.5", "2.5"), (112, "3", "4"), (113, "5", "6")]
    sections = "".join(f"(300 ({number} 2 1 0 0 1 2)(\n{one}\n{two}\n))\n" for number, one, two in values)
    (folder / "a.dat").write_text(f'(0 "data")\n{sections}')
    return folder / name, [folder / name, folder / "a.dat"]


def foam(folder: Path, name: str) -> Made:
    path = channel(folder, decomposed=False)
    path.rename(folder / name)
    inside = ["points", "faces", "owner", "neighbour", "boundary"]
    return folder / name, [folder / "2/U", *(folder / "constant/polyMesh" / each for each in inside)]


def gmsh(folder: Path, name: str) -> Made:
    """Version 4.1 with groups, a scheme and values at the nodes of elements."""
    flow = mesh()
    rows, x = flow.cells.connectivity.reshape(-1, 4) + 1, flow.points
    tags, places = "\n".join(map(str, range(1, len(x) + 1))), "\n".join(" ".join(map(repr, p)) for p in x.tolist())
    elements = "\n".join(" ".join(map(str, (i + 1, *row))) for i, row in enumerate(rows.tolist()))
    corners = "\n".join(f"{i + 1} 4 {' '.join(map(repr, x[row - 1].ravel().tolist()))}" for i, row in enumerate(rows))
    (folder / name).write_text(
        '$MeshFormat\n4.1 0 8\n$EndMeshFormat\n$PhysicalNames\n1\n3 4 "fluid"\n$EndPhysicalNames\n'
        "$Entities\n0 0 0 1\n1 0 0 0 1 1 1 1 4 0\n$EndEntities\n"
        f"$Nodes\n1 {len(x)} 1 {len(x)}\n3 1 0 {len(x)}\n{tags}\n{places}\n$EndNodes\n"
        f"$Elements\n1 {len(rows)} 1 {len(rows)}\n3 1 4 {len(rows)}\n{elements}\n$EndElements\n"
        '$InterpolationScheme\n"S"\n1\n5\n2\n4 4\n1 -1 -1 -1\n0 1 0 0\n0 0 1 0\n0 0 0 1\n'
        "4 3\n0 0 0\n1 0 0\n0 1 0\n0 0 1\n$EndInterpolationScheme\n"
        f'$ElementNodeData\n2\n"U"\n"S"\n1\n0\n3\n0\n3\n{len(rows)}\n{corners}\n$EndElementNodeData\n'
    )
    return _alone(folder / name)


def of_vtk_legacy(folder: Path, name: str, make: Callable[[], Any], binary: bool) -> Made:
    return _alone(legacy(folder / name, make(), binary))


MAKERS: dict[str, Callable[[Path], Made]] = {
    "a.vtu": partial(ours, name="a.vtu"),
    "ascii a.vtu": partial(of_vtk, name="a.vtu", make=unstructured, kind="UnstructuredGrid", mode="Ascii"),
    "zlib a.vtu": partial(of_vtk, name="a.vtu", make=unstructured, kind="UnstructuredGrid", block=64),
    "base64 a.vtu": partial(
        of_vtk, name="a.vtu", make=unstructured, kind="UnstructuredGrid", base64=True, compressor="LZMA"
    ),
    "a.vtp": partial(of_vtk, name="a.vtp", make=polygons, kind="PolyData"),
    "a.vti": partial(of_vtk, name="a.vti", make=partial(lattice, "ImageData"), kind="ImageData", pieces=2),
    "a.vtr": partial(of_vtk, name="a.vtr", make=partial(lattice, "RectilinearGrid"), kind="RectilinearGrid"),
    "a.vts": partial(of_vtk, name="a.vts", make=partial(lattice, "StructuredGrid"), kind="StructuredGrid"),
    "a.pvtu": partial(several, name="a.pvtu"),
    "a.pvtp": partial(in_parallel, name="a.pvtp", make=polygons, kind="PolyData"),
    "a.pvti": partial(in_parallel, name="a.pvti", make=partial(lattice, "ImageData"), kind="ImageData"),
    "a.pvtr": partial(in_parallel, name="a.pvtr", make=partial(lattice, "RectilinearGrid"), kind="RectilinearGrid"),
    "a.pvts": partial(in_parallel, name="a.pvts", make=partial(lattice, "StructuredGrid"), kind="StructuredGrid"),
    "a.vtm": partial(several, name="a.vtm"),
    "a.pvd": partial(several, name="a.pvd"),
    "a.vtu.series": partial(several, name="a.vtu.series"),
    "a.csv": partial(table, name="a.csv", form="cfdpost.csv"),
    "a.tsv": partial(table, name="a.tsv", form="openpiv.txt"),
    "a.txt": partial(table, name="a.txt", form="davis.txt"),
    "a.vec": partial(table, name="a.vec", form="tsi.vec"),
    "a.v3d": partial(table, name="a.v3d", form="tsi.vec"),
    "a.plt": partial(table, name="a.plt", form="tsi.vec"),
    "a.tec": partial(elements, name="a.tec"),
    "a.dat": partial(elements, name="a.dat"),
    "a.npz": partial(npz, name="a.npz", compressed=False),
    "deflated a.npz": partial(npz, name="a.npz", compressed=True),
    "a.nc": partial(netcdf, name="a.nc", form="NETCDF3_CLASSIC"),
    "a.nc4": partial(netcdf, name="a.nc4", form="NETCDF4"),
    "a.cdf": partial(netcdf, name="a.cdf", form="NETCDF3_64BIT_OFFSET"),
    **{f"a{suffix}": partial(exodus, name=f"a{suffix}") for suffix in (".e", ".exo", ".ex2", ".exii", ".g")},
    "a.xdmf": partial(xdmf, name="a.xdmf", form="HDF"),
    "a.xmf": partial(xdmf, name="a.xmf", form="XML"),
    "a.avs": partial(through_meshio, name="a.avs", form="avsucd"),
    "a.ele": partial(tetgen, name="a.ele"),
    "a.node": partial(tetgen, name="a.node"),
    "a.h5m": partial(through_meshio, name="a.h5m", form="h5m", point_only=True),
    "a.hmf": partial(through_meshio, name="a.hmf", form="hmf"),
    "a.med": partial(through_meshio, name="a.med", form="med"),
    "a.msh": partial(through_meshio, name="a.msh", form="gmsh", binary=True),
    "ascii a.msh": partial(through_meshio, name="a.msh", form="gmsh", binary=False),
    "old a.msh": partial(through_meshio, name="a.msh", form="gmsh22", binary=True),
    "views a.msh": partial(gmsh, name="a.msh"),
    "a.vtk": partial(through_meshio, name="a.vtk", form="vtk42"),
    "ascii a.vtk": partial(of_vtk_legacy, name="a.vtk", make=unstructured, binary=False),
    "image a.vtk": partial(of_vtk_legacy, name="a.vtk", make=image, binary=True),
    "surface a.vtk": partial(of_vtk_legacy, name="a.vtk", make=polygons, binary=True),
    "a.foam": partial(foam, name="a.foam"),
    "a.vtkhdf": partial(vtkhdf, name="a.vtkhdf"),
    "a.hdf": partial(vtkhdf, name="a.hdf"),
    "a.mat": partial(matlab, name="a.mat"),
    "a.case": partial(ensight, name="a.case"),
    "a.encas": partial(ensight, name="a.encas"),
    "a.cgns": partial(cgns, name="a.cgns"),
    "a.cas": partial(fluent, name="a.cas"),
}
