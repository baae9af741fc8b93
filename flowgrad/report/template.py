"""The templates of the report, with every text escaped."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

_FOLDER = Path(__file__).parent


def render(name: str, /, **values: Any) -> str:
    """A template of this folder, filled in."""
    return template(name).render(**values)


def template(name: str) -> Template:
    """A template of this folder."""
    return _environment().get_template(name)


def stylesheet() -> str:
    """The page's style, to stand in the page itself."""
    return (_FOLDER / "report.css").read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
