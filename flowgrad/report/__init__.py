"""The report: one self-contained page on all files of a run."""

from flowgrad.report.page import CURVES, write_report
from flowgrad.report.section import FileSection, failed_section, file_section

__all__ = ["CURVES", "FileSection", "failed_section", "file_section", "write_report"]
