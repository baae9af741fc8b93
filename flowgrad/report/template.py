"""Templates of the report: every text escaped, numbers and symbols for readers, and the command that gives results
again."""

from __future__ import annotations

import base64
import hashlib
import math
import re
import shlex
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape

from flowgrad.files import printable

# Formatted numbers are wanted where no template is.
if TYPE_CHECKING:
    from jinja2 import Environment

    from flowgrad.pipeline.options import Options

FOLDER = Path(__file__).parent
# Letters that do not fit into a line of a narrow page.
_LONG = 38


def render(name: str, /, **values: Any) -> str:
    """A template of this folder, filled in."""
    return _environment().get_template(name).render(**values)


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

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


THIN = "\u202f"
MISSING = "–"

# Numbers outside these are written with a power of ten.
_SMALL, _LARGE = 1e-3, 1e5
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def number(value: float | None, digits: int = 4) -> str:
    """The value to so many significant digits; a dash where there is none."""
    if value is None or math.isnan(value):
        return MISSING
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    rounded = float(f"{value:.{digits - 1}e}")
    if not rounded:
        return "0"
    if _SMALL <= abs(rounded) < _LARGE:
        places = max(digits - 1 - math.floor(math.log10(abs(rounded))), 0)
        whole, _, rest = f"{rounded:,.{places}f}".partition(".")
        whole = whole.replace(",", THIN if abs(rounded) >= 1e4 else "").replace("-", "−")
        return f"{whole}.{rest.rstrip('0')}".rstrip(".")
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    factor = mantissa.rstrip("0").rstrip(".").replace("-", "−")
    power = "10" + str(int(exponent)).translate(_SUPERSCRIPTS)
    return {"1": power, "−1": "−" + power}.get(factor, f"{factor}{THIN}×{THIN}{power}")


def count(value: float) -> str:
    """A whole number, its thousands apart."""
    return f"{int(value):,}".replace(",", THIN).replace("-", "−")


def percent(value: float) -> str:
    """A share of 1 in percent; shares that are not quite none or all stay so."""
    return f"{number(100 * value, 3)}{THIN}%"


_LETTERS = "alpha beta gamma delta epsilon zeta eta theta kappa lambda mu nu xi pi rho sigma tau phi chi psi omega"
_CAPITALS = "Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi Omega"
_OTHER = "infty nabla cdot times perp partial"
_NAMES = re.findall(r"\w+", f"{_LETTERS} {_CAPITALS} {_OTHER}")
_COMMANDS = dict(zip(_NAMES, "αβγδεζηθκλμνξπρστφχψωΓΔΘΛΞΠΣΦΨΩ∞∇·×⊥∂", strict=True))
# Marks above the letter that follows.
_ACCENTS = {"dot": "\u0307", "ddot": "\u0308", "hat": "\u0302", "bar": "\u0304", "tilde": "\u0303", "vec": "\u20d7"}
# Commands that only choose a typeface.
_TYPEFACES = ("mathrm", "mathit", "mathbf", "mathdefault", "text")
_LEVELS = {"_": "sub", "^": "sup"}

_TOKEN = re.compile(r"\\([A-Za-z]+)\s*|([_^{}])|(.)", re.DOTALL)


def html(symbol: str) -> Markup:
    r"""Mathtext as HTML: ``\dot\gamma`` is γ̇, ``\lambda_2`` is λ with a lower 2; unknown commands lose
    their backslash."""
    text, _ = _group(list(_TOKEN.finditer(symbol)), 0, single=False)
    return Markup('<span class="symbol">{}</span>').format(text)


def text(symbol: str) -> str:
    r"""The same as plain text: ``\dot\gamma`` is γ̇, ``\lambda_{ci}`` is λ_ci."""
    marked = html(symbol).replace("<sub>", "_").replace("<sup>", "^")
    return Markup(marked).striptags()


def _group(tokens: list[re.Match[str]], start: int, single: bool) -> tuple[Markup, int]:
    """The tokens up to the closing brace (or one of them) as HTML, and the position after them."""
    parts, accent, i = Markup(), "", start
    while i < len(tokens):
        command, mark, character = tokens[i].groups()
        i += 1
        if mark == "}":
            break
        if command in _ACCENTS:
            accent = _ACCENTS[command]
            continue
        if command in _TYPEFACES:
            continue
        if mark in _LEVELS:
            inner, i = _group(tokens, i, single=True)
            piece = Markup(f"<{_LEVELS[mark]}>{{}}</{_LEVELS[mark]}>").format(inner)
        elif mark == "{":
            piece, i = _group(tokens, i, single=False)
        else:
            piece = escape(_COMMANDS.get(command, command) if command else character)
        parts, accent = parts + piece + accent, ""
        if single:
            break
    return parts, i
