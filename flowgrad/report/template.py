"""Templates of the report, with every text escaped, and the command that gives results again."""

from __future__ import annotations

import base64
import hashlib
import re
import shlex
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from flowgrad.files import printable
from flowgrad.pipeline.options import Options

FOLDER = Path(__file__).parent
# Letters that do not fit into a line of a narrow page.
_LONG = 38


def render(name: str, /, **values: Any) -> str:
    """A template of this folder, filled in."""
    return _environment().get_template(name).render(**values)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # SHA-256, by which a page allows its own script and no other.
    environment.filters["digest"] = lambda text: base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    for each in (options_unbroken, breakable, words_unbroken):
        environment.filters[each.__name__] = each
    # The style stands in every page, so without needless spaces.
    style = re.sub(r"\s+", " ", (FOLDER / "report.css").read_text(encoding="utf-8"))
    environment.globals["now"] = lambda: f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    environment.globals["style"] = re.sub(r"\s*([{};,])\s*", r"\1", style).strip()
    return environment


def options_unbroken(text: str) -> Markup:
    """A text, escaped, in which no line ends within an option such as ``--stress=NAME``."""
    parts = re.split(r"(--[\w=-]+)", text)
    return Markup("").join(Markup("<code>{}</code>").format(p) if p.startswith("--") else escape(p) for p in parts)


def breakable(name: str) -> Markup:
    """A name, escaped, that may go on in a new line behind its joints."""
    return Markup("<wbr>").join(re.split(r"(?<=[_/-])(?=.)|(?<=.)(?=\.)", name))


def words_unbroken(command: str) -> Markup:
    """A command, escaped, whose lines end between words, unless a word is too long for a line."""
    words = (
        Markup('<span class="pair">{}</span>').format(word) if len(word) < _LONG else word
        for word in command.split(" ")
    )
    return Markup(" ").join(words)


def command(options: Options, source: Path | None) -> str:
    """``flowgrad run FILE --option=value … -o out``, quoted for a shell; without a file for arrays in memory."""
    file = "" if source is None or options.grid else shlex.quote(printable(source))
    return " ".join(part for part in ("flowgrad run", file, written(options.given()), "-o out") if part)


def written(given: Mapping[str, object]) -> str:
    """Options as they stand on the command line, quoted for a shell."""
    words = []
    for name, value in given.items():
        text = ",".join(map(str, value)) if isinstance(value, list | tuple) else value
        words.append(f"--{name.replace('_', '-')}" + ("" if value is True else f"={text}"))
    return shlex.join(words)
