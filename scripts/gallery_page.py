#!/usr/bin/env python3
"""Run the gallery and write docs/gallery.md with its pictures: the question, the answer, the program.

Usage: scripts/gallery_page.py [NAME…]   (all programs unless some are named; network needs flowgrad[torch])
"""

from __future__ import annotations

import importlib
import sys
import tempfile
from pathlib import Path
from types import ModuleType

from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
PICTURES, PAGE = ROOT / "docs" / "gallery", ROOT / "docs" / "gallery.md"
NAMES = (
    *("step_separation", "which_fluid", "yield_stress", "piv_uncertainty", "vortices", "cylinder_wall_shear"),
    *("double_gyre", "flow_types", "two_meshes", "network"),
)
_COLOURS = 256


def program(name: str) -> ModuleType:
    """One of the programs."""
    return importlib.import_module(f"scripts.gallery.{name}")


def question(name: str) -> str:
    """The first line of a program, which is not run for it."""
    return (ROOT / "scripts" / "gallery" / f"{name}.py").read_text().split("\n")[0].strip('"')


def entry(name: str, answer: str) -> str:
    """The part of the page about a program."""
    asked = question(name)
    return f"## {asked}\n\n{answer}\n\n![{asked}](gallery/{name}.png)\n\n[{name}.py](../scripts/gallery/{name}.py)\n"


def reduced(picture: Path, target: Path) -> None:
    """The same picture with fewer colours: a few ten kilobytes."""
    with Image.open(picture) as image:
        few = image.convert("RGB").quantize(_COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
        few.save(target, optimize=True)


def main(names: tuple[str, ...]) -> None:
    """Run the programs, and write the page where all were run."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    parts = [
        "# Gallery\n\nEach answer is one short program, run by the tests; `scripts/gallery_page.py` makes this page. "
        "All figures that there are:\n[figures.md](figures.md).\n"
    ]
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            parts.append(entry(name, program(name).main(Path(folder))))
            reduced(Path(folder) / f"{name}.png", PICTURES / f"{name}.png")
            print(parts[-1])
    if set(names) == set(NAMES):
        PAGE.write_text("\n".join(parts))


if __name__ == "__main__":
    main(tuple(sys.argv[1:]) or NAMES)
