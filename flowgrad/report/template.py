"""Templates of the report, with every text escaped, and the command that gives results again."""

from __future__ import annotations

import base64
import hashlib
import re
import shlex
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup, escape

from flowgrad.files import printable
from flowgrad.pipeline.options import Options

_FOLDER = Path(__file__).parent
# Letters that do not fit into a line of a narrow page.
_LONG = 38


def render(name: str, /, **values: Any) -> str:
    """A template of this folder, filled in."""
    return template(name).render(**values)


def template(name: str) -> Template:
    """A template of this folder."""
    return _environment().get_template(name)


def stylesheet() -> str:
    """The page's style, to stand in the page itself: every page has one, so without needless spaces."""
    text = (_FOLDER / "report.css").read_text(encoding="utf-8")
    return re.sub(r"\s*([{};,])\s*", r"\1", re.sub(r"\s+", " ", text)).strip()


def script(name: str) -> str:
    """A script of this folder, to stand in the page itself."""
    return (_FOLDER / name).read_text(encoding="utf-8")


def digest(text: str) -> str:
    """SHA-256 in base64, by which a page allows its own script and no other."""
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


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
    environment.filters["digest"] = digest
    environment.filters["breakable"] = breakable
    environment.filters["words_unbroken"] = words_unbroken
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
    return shlex.join(_written(key, value) for key, value in given.items())


def _written(name: str, value: object) -> str:
    flag = f"--{name.replace('_', '-')}"
    if value is True:
        return flag
    return f"{flag}={','.join(map(str, value)) if isinstance(value, list | tuple) else value}"
