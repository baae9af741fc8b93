"""Numbers and mathematical symbols as text and HTML for readers."""

from __future__ import annotations

import math
import re

from markupsafe import Markup, escape

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
