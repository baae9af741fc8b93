"""Suffixes that are refused, with reasons: of files that cannot hold a velocity, or not so that it can be used."""

from __future__ import annotations

_GEOMETRY = "holds a surface or a mesh and no fields: give the file in which the solver wrote the velocity"
_PICTURE = "is a picture: give the vectors that were computed from it"
_SCRIPT = "is the state or the input of a program and holds no fields: give the results"

REASONS: dict[str, str] = {
    **dict.fromkeys((".stl", ".obj", ".ply", ".off", ".step", ".stp", ".iges", ".igs", ".3ds", ".gltf"), _GEOMETRY),
    **dict.fromkeys((".inp", ".bdf", ".nas", ".fem", ".f3grid", ".mesh", ".meshb", ".ugrid", ".vol"), _GEOMETRY),
    **dict.fromkeys((".post", ".dato", ".svg", ".wkt", ".geo", ".su2", ".xml"), _GEOMETRY),
    **dict.fromkeys((".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".gif"), _PICTURE),
    **dict.fromkeys((".pvsm", ".py", ".cfg", ".json", ".toml", ".yaml", ".yml"), _SCRIPT),
    ".mdpa": "is Kratos' model, of which meshio reads the mesh and no fields: give what its VTK output writes",
    ".npy": "holds one array without a name, so that positions and velocity cannot be told apart: save both with "
    "numpy.savez(x=…, y=…, u=…, v=…)",
    ".h5": "does not say what its arrays are: give the .xdmf or .cgns file that does, or a .vtkhdf",
    ".hdf5": "does not say what its arrays are: give the .xdmf or .cgns file that does, or a .vtkhdf",
    ".xlsx": "is a workbook: save the sheet as .csv",
    ".xls": "is a workbook: save the sheet as .csv",
    ".zip": "is an archive: unpack it",
    ".tar": "is an archive: unpack it",
    ".im7": "is DaVis' own: export as text (.txt) or .csv",
    ".vc7": "is DaVis' own: export as text (.txt) or .csv",
}
