"""The report: an index of all files of a run and a self-contained page for each, or one page on all curves."""

from flowgrad.report.entry import Entry, entry_of, failed_entry
from flowgrad.report.file_page import FilePage, file_page
from flowgrad.report.index import write_index
from flowgrad.report.page import CURVES, alone, page_text, write_report
from flowgrad.report.section import FileSection, failed_section, file_section

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
