"""Symbols of quantities, which are mathtext in figures, as HTML and as plain text."""

from __future__ import annotations

import re

from markupsafe import Markup, escape

_SMALL = "alpha beta gamma delta epsilon zeta eta theta kappa lambda mu nu xi pi rho sigma tau phi chi psi omega"
_CAPITAL = "Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi Omega"
_OTHER = "infty nabla cdot times perp partial"
_NAMES = re.findall(r"\w+", f"{_SMALL} {_CAPITAL} {_OTHER}")
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
