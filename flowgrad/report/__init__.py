"""HTML reports: an index of all files of a run and a self-contained page for each, or one page on all curves."""

from flowgrad.report.entry import Entry, entry_of, failed_entry
from flowgrad.report.flow_section import FileSection, failed_section, file_section
from flowgrad.report.index import write_index
from flowgrad.report.page import CURVES, FilePage, alone, file_page, page_text, write_report

__all__ = [
    "CURVES",
    "Entry",
    "FilePage",
    "FileSection",
    "alone",
    "entry_of",
    "failed_entry",
    "failed_section",
    "file_page",
    "file_section",
    "page_text",
    "write_index",
    "write_report",
]
