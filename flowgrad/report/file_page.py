"""All that the report keeps of one analysis: its page, and its line of the index."""

from __future__ import annotations

from dataclasses import dataclass

from flowgrad.pipeline.analysis import Analysis
from flowgrad.report.entry import Entry, entry_of
from flowgrad.report.page import page_text
from flowgrad.report.pictures import section_of
from flowgrad.report.section import file_section


@dataclass(frozen=True)
class FilePage:
    """A page as HTML, and the ``entry`` of the index that leads to it."""

    html: str
    entry: Entry


def file_page(analysis: Analysis) -> FilePage:
    """The page on one analysis and its entry; the same for the same input and options, wherever they are made."""
    section = section_of(analysis)
    return FilePage(page_text(file_section(analysis, section)), entry_of(analysis, section))
