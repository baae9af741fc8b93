"""Pages of the report: one file's own, and one on all curves of a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from flowgrad.files import replacing
from flowgrad.report.entry import FileSection
from flowgrad.report.template import render, written

# What leads from a file's page to the index, and is taken out where there is no index.
_BACK = Markup('<nav class="back"><a href="../report.html">All files of this run</a></nav>')


@dataclass(frozen=True)
class Wording:
    """Title of a page, name of its items, and its note on units."""

    title: str
    item: str
    units: str


FLOWS = Wording(
    "From the velocity field to the fluid",
    "file",
    "Dimensions are in mass M, length L and time T, in the units of the input; nothing is converted. Stresses and "
    "viscosities are dynamic (M/(L T²), M/(L T)) where the input is, else divided by the density (L²/T², L²/T). "
    "D is the rate of deformation, the symmetric part of the velocity gradient L, and W its antisymmetric part, the "
    "rotation. τ = 2ηD, which in simple shear is τ = ηγ̇: τ is the stress, η the viscosity, γ̇ the shear rate.",
)
CURVES = Wording(
    "From the flow curve to the fluid",
    "curve",
    "Shear rates γ̇ are in 1/s, stresses τ in Pa and viscosities η = τ/γ̇ in Pa s where the table states its units, else "
    "in its own.",
)


def page_text(section: FileSection) -> str:
    """One file's page, which stands alone in the folder ``report`` beside the index; the same whenever it is made."""
    return render("page.html", section=section, units=FLOWS.units, back=_BACK)


def alone(page: str) -> str:
    """The page where there is no index to go back to."""
    return page.replace(_BACK, "", 1)


def write_report(
    path: Path | str,
    sections: Sequence[FileSection],
    command: str | Mapping[str, object] = "",
    wording: Wording = CURVES,
) -> None:
    """Write one page on all curves, whole or not at all.

    ``command`` is the command line, or the options by their names. Raises WriteError where the file
    cannot be written.
    """
    text = render(
        "report.html",
        sections=sections,
        counts=Counter(section.verdict for section in sections),
        command=command if isinstance(command, str) else written(command),
        wording=wording,
    )
    with replacing(Path(path)) as file:
        file.write(text.encode())
