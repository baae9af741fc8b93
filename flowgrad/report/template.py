"""The templates of the report, with every text escaped."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup, escape

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
    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["options_unbroken"] = options_unbroken
    return environment


def options_unbroken(text: str) -> Markup:
    """A text, escaped, in which no line ends within an option such as ``--stress=NAME``."""
    parts = re.split(r"(--[\w=-]+)", text)
    return Markup("").join(Markup("<code>{}</code>").format(p) if p.startswith("--") else escape(p) for p in parts)
