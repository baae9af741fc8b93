"""Numbers in the sections of a legacy VTK file of text: as many as each declares (Kitware, "VTK file formats", 4.2 and
5.1), because readers take zeros for those that are missing."""

from __future__ import annotations

import re
from collections.abc import Iterator

from flowgrad.errors import ReadError

_START = re.compile(rb"^[ \t]*DATASET[^\n]*\n", re.MULTILINE | re.IGNORECASE)
# Lines that are no numbers, and arrays of a FIELD, whose names may begin as numbers do.
_LINE = re.compile(
    rb"^[ \t]*(?:(?!(?:nan|inf(?:inity)?)\b)([A-Za-z_][^\n]*)|(\S+[ \t]+\d+[ \t]+\d+[ \t]+[a-z_]\w*)[ \t]*\r?)$",
    re.MULTILINE | re.IGNORECASE,
)
_ARRAY = re.compile(r"\S+\s+(\d+)\s+(\d+)\s+([A-Za-z_]\w*)$")
_EACH = {"VECTORS": 3, "NORMALS": 3, "TENSORS": 9, "TENSORS6": 6, "GLOBAL_IDS": 1, "PEDIGREE_IDS": 1, "EDGE_FLAGS": 1}
_CELLS = ("CELLS", "VERTICES", "LINES", "POLYGONS", "TRIANGLE_STRIPS")


def check_numbers(data: bytes) -> None:
    """ReadError for a section of a file of text with fewer numbers than it declares, or with more."""
    start = _START.search(data)
    if start is None:
        return
    lines = list(_LINE.finditer(data, start.end()))
    if not lines:
        return
    texts = [(line[1] or line[2]).decode("utf-8", "replace").strip() for line in lines]
    ends = [line.start() for line in lines[1:]] + [len(data)]
    for text, due, line, end in zip(texts, _declared(texts), lines, ends, strict=True):
        if due is None:
            continue
        found = len(data[line.end() : end].split())
        if found != due:
            raise ReadError(
                f"has {found} numbers after '{text[:60]}' and not {due}: the file is damaged or was cut off"
            )


def _declared(texts: list[str]) -> Iterator[int | None]:
    """The count of numbers that follow each line, None where that is not known."""
    rows, components, following = 0, 1, [0, 0]
    is_metadata = False
    for number, text in enumerate(texts):
        words = text.split()
        key, counts = words[0].upper(), [int(word) for word in words[1:] if word.isdigit() and len(word) < 19]
        array = _ARRAY.match(text)
        due: int | None = None
        is_metadata = key == "METADATA" or (is_metadata and key in ("INFORMATION", "COMPONENT_NAMES", "NAME", "DATA"))
        if is_metadata:
            pass
        elif key in ("POINT_DATA", "CELL_DATA") and counts:
            rows = counts[0]
        elif key == "POINTS" and counts:
            due = 3 * counts[0]
        elif key in ("X_COORDINATES", "Y_COORDINATES", "Z_COORDINATES", "CELL_TYPES") and counts:
            due = counts[0]
        elif key in _CELLS and len(counts) == 2:
            is_new = number + 1 < len(texts) and texts[number + 1].upper().startswith("OFFSETS")
            following, due = counts, 0 if is_new else counts[1]
        elif key in ("OFFSETS", "CONNECTIVITY"):
            due = following[key == "CONNECTIVITY"]
        elif key == "SCALARS" and len(words) > 2:
            components = counts[-1] if len(words) > 3 and counts else 1
            follows = number + 1 < len(texts) and texts[number + 1].upper().startswith("LOOKUP_TABLE")
            due = 0 if follows else components * rows
        elif key == "LOOKUP_TABLE":
            due = 4 * counts[-1] if len(words) == 3 and counts else components * rows
        elif key in _EACH and len(words) == 3:
            due = _EACH[key] * rows
        elif array is not None and array[3].lower() not in ("string", "variant", "utf8_string"):
            due = int(array[1]) * int(array[2])
        yield due
