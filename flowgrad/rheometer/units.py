"""Units of rheometer tables: products of powers of prefixed units, powers of ten before them, logarithms of them, with
their dimensions and factors to SI."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any


@dataclass(frozen=True)
class Unit:
    """A unit: what it measures, and value·factor + offset in SI (temperatures in °C).

    ``base`` is that of a logarithm, so that the value is baseˣ (10 or e); None for a linear scale, NaN where the text
    does not say which logarithm. ``reading`` says how a text that could be read in two ways was read.
    """

    dimension: str
    factor: float = 1.0
    offset: float = 0.0
    base: float | None = None
    reading: str = ""

    def to_si(self, value: Any) -> Any:
        """A number or an array (n,) in SI."""
        linear = value if self.base is None else self.base**value
        return linear * self.factor + self.offset


# Dimensions as powers of mass, length and time.
_DIMENSIONS = {
    (0, 0, -1): "rate",
    (1, -1, -2): "stress",
    (1, -1, -1): "viscosity",
    (1, 2, -2): "torque",
    (0, 2, -1): "kinematic viscosity",
    (0, 1, 0): "length",
    (0, 0, 1): "time",
}
_POUND = 0.45359237 * 9.80665
_STRESS, _FORCE, _VISCOSITY = (1, -1, -2), (1, 1, -2), (1, -1, -1)
# Dimension, factor and names of units; the first line's take prefixes.
_PREFIXED = (
    ((0, 0, 1), 1.0, "s sec Sec second seconds Sekunde"),
    ((0, 1, 0), 1.0, "m"),
    ((1, 0, 0), 1e-3, "g"),
    (_FORCE, 1.0, "N Newton newton"),
    (_FORCE, 1e-5, "dyn dyne dynes dynen"),
    (_STRESS, 1.0, "Pa Pascal pascal Pascals pascals"),
    (_STRESS, 1e5, "bar Bar"),
    (_VISCOSITY, 0.1, "P Poise poise Poises"),
    (_VISCOSITY, 1e-3, "cP cPoise"),
    ((0, 2, -1), 1e-4, "St Stokes"),
)
_PLAIN = (
    ((0, 0, 1), 60.0, "min minute minutes"),
    ((0, 0, 1), 3600.0, "h hr hour hours"),
    ((0, 1, 0), 0.0254, "in inch"),
    ((0, 1, 0), 0.3048, "ft"),
    (_FORCE, _POUND, "lbf lb lbs"),
    (_FORCE, 9.80665e-3, "gf pond"),
    (_FORCE, 9.80665, "kgf kp"),
    (_STRESS, _POUND / 0.0254**2, "psi PSI"),
    (_STRESS, 101325.0, "atm"),
    (_STRESS, 101325.0 / 760, "Torr torr mmHg"),
)
_PREFIXES = {"G": 1e9, "M": 1e6, "k": 1e3, "h": 1e2, "d": 1e-1, "c": 1e-2, "m": 1e-3, "u": 1e-6, "n": 1e-9}
_WORDS = {
    "giga": "G", "mega": "M", "kilo": "k", "hecto": "h", "hekto": "h", "deci": "d", "dezi": "d",
    "centi": "c", "zenti": "c", "milli": "m", "micro": "u", "mikro": "u", "nano": "n",
}  # fmt: skip
Symbol = tuple[tuple[int, ...], float]
_SYMBOLS: dict[str, Symbol] = {
    name: (powers, factor) for powers, factor, names in (*_PREFIXED, *_PLAIN) for name in names.split()
}
_SYMBOLS |= {
    prefix + name: (powers, factor * size)
    for powers, factor, names in _PREFIXED
    for name in names.split()
    for prefix, size in _PREFIXES.items()
    if prefix + name not in _SYMBOLS
}
# Texts, without spaces, dots and carets, that are no products of symbols or are read against their letters.
_FIXED = (
    ("stress", 1.0, "PA pa"),
    ("stress", _POUND / (100 * 0.3048**2), "lbf/100ft2 lb/100ft2 lbs/100ft2"),
    ("stress", 0.1, "D/cm2"),
    ("viscosity", 1.0, "kg/ms kgm-1s-1 PaS pas PAS Pascalsecond pascalsecond"),
    ("viscosity", 1e-3, "cps cPs CPS cp CP centipoise mpas"),
    ("torque", 9.80665e-5, "gcm g-cm"),
    ("temperature", 1.0, "°C C degC oC °c"),
    ("kinematic viscosity", 1e-6, "cSt cst"),
    ("other", 1.0, "% ° deg rad rad/s mrad Hz 1 - K/min °C/min rpm RPM U/min V As #"),
)
_KNOWN = {text: Unit(dimension, factor) for dimension, factor, texts in _FIXED for text in texts.split()}
_KNOWN |= {"K": Unit("temperature", 1.0, -273.15)}
_KNOWN |= {text: Unit("temperature", 5 / 9, -160 / 9) for text in ("°F", "degF", "F")}
_LOGARITHM = re.compile(r"(log\s*_?\s*(?:10|\(10\)|₁₀)|lg|ln|log)(?=[\s_(\[{])[\s_]*(.+)", re.IGNORECASE)
_POWER = re.compile(r"(?:[x×*]\s*)?(?:10\s*\^\s*\(?([+-]?\d+)\)?|1[eE]([+-]?\d+))\s*[\s·x×*]?\s*(?=[^\d\s]|1\s*/)")
# Powers of a prefixed 1/s: kilo-(1/s) as people print it, 1/(kilo-s) as the SI reads it.
_KILO_PER_SECOND = re.compile(r"([kM])(?:s|sec)\^?-1")


def logarithm(text: str) -> tuple[float | None, str]:
    """The base of ``log10(x)``, ``lg x`` or ``ln x`` and what is inside; (None, text) for what is no logarithm, NaN for
    ``log``, which may be either."""
    match = _LOGARITHM.fullmatch(text.strip())
    if match is None:
        return None, text
    name, inside = match[1].casefold(), match[2].strip()
    if inside[0] in "([{" and inside[-1] in ")]}" and _encloses(inside):
        inside = inside[1:-1].strip()
    if name == "ln":
        return 2.718281828459045, inside
    return (float("nan") if name == "log" else 10.0), inside


def _encloses(text: str) -> bool:
    """Whether the first bracket is closed by the last."""
    depth = 0
    for i, each in enumerate(text):
        depth += (each in "([{") - (each in ")]}")
        if not depth:
            return i == len(text) - 1
    return False


@lru_cache(4096)
def unit(text: str) -> Unit | None:
    """The unit of a text such as ``mPa·s``, ``s⁻¹``, ``dyn per cm2``, ``10^3 Pa`` or ``lg(Pa)``; None for one that is
    not known."""
    base, inside = logarithm(text)
    if base is not None:
        found = unit(inside)
        return found and replace(found, base=base)
    plain = _plain(text)
    bare = re.sub(r"[\[\](){}\s·^_]", "", plain)
    if bare in _KNOWN:
        return _KNOWN[bare]
    power = _POWER.match(plain)
    size = 10.0 ** int(power[1] or power[2]) if power else 1.0
    product = plain[power.end() :] if power else plain
    if printed := _KILO_PER_SECOND.fullmatch(product.strip("()[] ")):
        size *= _PREFIXES[printed[1]]
        read = f"the unit '{text.strip()}' is read as {size:g} 1/s; if 1/({printed[1]}s) is meant, say so with --units"
        return Unit("rate", size, reading=read)
    found_product = _product(product)
    if found_product is None:
        return None
    powers, factor = found_product
    return Unit(_DIMENSIONS.get(powers, "other"), size * factor)


def _plain(text: str) -> str:
    """A text with ``^`` before superscripts, ASCII minus, ``·`` for dots, ``/`` for per, and prefixes as letters."""
    text = re.sub("([⁺⁻¹²³⁰⁴-⁹]+)", r"^\1", text.replace("-¹", "⁻¹"))
    text = unicodedata.normalize("NFKC", text)
    text = re.sub("[−–]", "-", text).replace("\u03bc", "u").replace("µ", "u").replace("**", "^")
    text = re.sub(r"(?<!\d)[.]|[⋅∙•×*_]", "·", text)
    text = re.sub(r"\s*\bper\b\s*", "/", text)
    for word, letter in _WORDS.items():
        text = re.sub(rf"\b{word}[\s-]*(?=[A-Za-z])", letter, text, flags=re.IGNORECASE)
    return text.strip()


def _product(text: str) -> tuple[tuple[int, int, int], float] | None:
    """Powers of mass, length and time, and the factor, of ``kg/(m s)``: what follows a slash divides."""
    powers, factor = [0, 0, 0], 1.0
    # A bracket that holds the whole, as [Pa], or what is divided by, as in 1/(kg m).
    parts = re.sub(r"[\[\](){}]", " ", text).split("/")
    for place, part in enumerate(parts):
        symbols = _factors(part) if part.strip() not in ("", "1") else []
        if symbols is None or (place and not symbols):
            return None
        for (dimension, size), power in symbols:
            signed = -power if place else power
            powers = [old + signed * each for old, each in zip(powers, dimension, strict=True)]
            factor *= size**signed
    return ((powers[0], powers[1], powers[2]), factor) if any(powers) else None


_FACTOR = re.compile(r"([A-Za-z]+)(?:\^?\(?([+-]?\d+)\)?)?")


def _factors(text: str) -> list[tuple[Symbol, int]] | None:
    """Symbols with their powers, of ``Pa s``, ``Pa-s``, ``Nsm^-2``; None where one is not known."""
    rest = re.sub(r"[·\s]+|-(?=[A-Za-z])", " ", text).strip()
    found: list[tuple[Symbol, int]] = []
    while rest:
        match = _FACTOR.match(rest)
        symbols = _symbols(match[1]) if match else None
        if match is None or symbols is None:
            return None
        found += [(each, 1) for each in symbols[:-1]] + [(symbols[-1], int(match[2] or 1))]
        rest = rest[match.end() :].lstrip()
    return found


def _symbols(letters: str) -> list[Symbol] | None:
    """One symbol, or one before a time or a length without a space between: ``mPas``, ``kgm``."""
    if letters in _SYMBOLS:
        return [_SYMBOLS[letters]]
    for tail in ("sec", "cm", "s", "m"):
        head = letters.removesuffix(tail)
        if head != letters and head in _SYMBOLS and _SYMBOLS[head][0] != (0, 1, 0):
            return [_SYMBOLS[head], _SYMBOLS[tail]]
        # Newton seconds per area.
        if head != letters and (longer := _symbols(head) if len(head) > 1 and tail == "m" else None):
            return [*longer, _SYMBOLS[tail]]
    return None
