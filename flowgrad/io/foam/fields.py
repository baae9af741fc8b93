"""Fields of OpenFOAM on cells and on patches (classes volScalarField, volVectorField, …).

A patch that writes no values has those of its condition: zero for noSlip, the cells' beside it for zeroGradient.
Symmetric tensors come as xx xy xz yy yz zz and are put into VTK's order.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from flowgrad.errors import ReadError
from flowgrad.io.foam.grammar import COMPONENTS, Dictionary, FoamEntry, FoamFile
from flowgrad.io.formats import naming
from flowgrad.io.vtk_xml.arrays import parse_ascii

_CLASS = re.compile(r"vol(?P<kind>Scalar|Vector|SphericalTensor|SymmTensor|Tensor)Field")
_UNIFORM = re.compile(r"(?:uniform\s+)?(?P<value>\(.*\)|[^\s()]+)", re.DOTALL)
# VTK's XX YY ZZ XY YZ XZ.
_ORDER = {"symmTensor": [0, 3, 5, 1, 4, 2]}
# Conditions whose value is that of the cell beside the patch.
_OF_CELLS = frozenset(("zeroGradient", "extrapolatedCalculated"))
# Of these the other entries tell no value: a patch has none of its own.
WITHOUT_VALUES = re.compile(r"empty|wedge|cyclic\w*|processor\w*|symmetry\w*")


@dataclass(frozen=True)
class FoamPatch:
    """Type of a patch, its first face and how many there are, and the cells beside them."""

    kind: str
    start: int
    cells: np.ndarray


def kind_of(file: FoamFile) -> str | None:
    """``scalar``, ``vector``, … of a file that holds a field on cells; None for any other."""
    found = _CLASS.fullmatch(file.kind)
    return found["kind"][0].lower() + found["kind"][1:] if found else None


def read_field(
    file: FoamFile, kind: str, count: int, patches: Mapping[str, FoamPatch]
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Values on cells (count,) or (count, k), and those on the patches that have some."""
    entries = file.dictionary()
    inner = _values(entries, entries.get("internalField"), kind, count, "internalField")
    about, found = entries.get("boundaryField"), {}
    for name, patch in patches.items():
        said = _of_patch(about, name) if isinstance(about, Dictionary) else None
        if said is None or WITHOUT_VALUES.fullmatch(patch.kind):
            continue
        condition = said.text("type")
        if "value" in said:
            with naming(f"patch '{name}'"):
                found[name] = _values(entries, said["value"], kind, len(patch.cells), "value")
        elif condition == "noSlip":
            found[name] = np.zeros((len(patch.cells), *inner.shape[1:]))
        elif condition in _OF_CELLS:
            found[name] = inner[patch.cells]
    return inner, found


def _of_patch(boundary: Dictionary, name: str) -> Dictionary | None:
    """What is said of a patch: by its name, else by the last pattern that fits."""
    said = boundary.get(name)
    for pattern, other in reversed(boundary.items()) if said is None else ():
        if re.search(r"[.*|(\[]", pattern) and re.fullmatch(pattern, name):
            said = other
            break
    return said if isinstance(said, Dictionary) else None


def _values(entries: Dictionary, entry: object, kind: str, count: int, name: str) -> np.ndarray:
    """Values (count,) or (count, k) of an entry: ``uniform v``, ``nonuniform List<…> …`` or a $macro of the file."""
    if not isinstance(entry, FoamEntry):
        raise ReadError(f"has no values as '{name}': the file is damaged")
    if entry.text.startswith("$"):
        return _values(entries, entries.get(entry.text[1:]), kind, count, entry.text[1:])
    width = COMPONENTS[kind]
    values = entry.values
    if values is None and entry.text.split() == ["nonuniform", "0"]:
        values = np.empty((0, width) if width > 1 else 0)
    if values is None:
        said = _UNIFORM.fullmatch(entry.text)
        text = said["value"].strip("()") if said else entry.text
        one = parse_ascii(text, np.dtype("f8"))
        if len(one) != width:
            raise ReadError(f"has '{entry.text[:60]}' as '{name}', not {width} numbers: the file is damaged")
        values = np.repeat(one.reshape(1, width) if width > 1 else one, count, axis=0)
    if values.shape != ((count, width) if width > 1 else (count,)):
        raise ReadError(
            f"has {len(values)} values as '{name}' for {count} cells or faces: it is another mesh's, or damaged"
        )
    return np.ascontiguousarray(values[:, _ORDER[kind]]) if kind in _ORDER else values
