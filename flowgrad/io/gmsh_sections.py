"""The sections of a Gmsh file (.msh): meshio passes over those that it does not know, and over those without an end.

Names: Geuzaine & Remacle, Gmsh reference manual 4.13, "MSH file format".
"""

from __future__ import annotations

import mmap
import re
from pathlib import Path

from flowgrad.errors import ReadError

# What is lost of the others that are known says nothing of the flow.
_KNOWN = {"MeshFormat", "PhysicalNames", "Entities", "Nodes", "Elements", "NodeData", "ElementData", "Periodic"}
_KNOWN |= {"PartitionedEntities", "GhostElements", "Parametrizations", "Comments"}
# So many letters do not stand in binary data by chance.
_MARK = re.compile(rb"^\$([A-Z]\w{4,40})[ \t\r]*$", re.MULTILINE)


def check_sections(path: Path) -> None:
    """ReadError for a section that is not read, is not ended or not begun; files of others than Gmsh pass."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        if data[:1] != b"$":
            return
        marks = [match[1].decode() for match in _MARK.finditer(data)]
        last = data[max(len(data) - 100, 0) :].split()[-1:]
    begun = ""
    for name in marks:
        if begun and name != f"End{begun}":
            raise ReadError(f"has no end of ${begun} before ${name}: the file is damaged or was cut off")
        if not begun and name not in _KNOWN:
            raise ReadError(f"has the section ${name}, which is not read: write the values at the nodes or elements")
        begun = "" if begun else name
    if begun or not marks or last != [f"${marks[-1]}".encode()]:
        said = f"${begun}" if begun else "its last section"
        raise ReadError(f"has no end of {said}: the file is damaged or was cut off")
