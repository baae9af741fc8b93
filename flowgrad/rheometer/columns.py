"""Columns of rheometer tables: roles by name in several languages, with the unit and the logarithm that names state."""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from flowgrad.errors import ReadError
from flowgrad.rheometer.units import Unit, logarithm, unit

# Names without accents, in small letters, - and _ as spaces; a name may have a label before or behind ("stress A").
_RATES = """shear rate; shearrate; shear strain rate; strain rate; rate of shear; rate of strain; scherrate;
schergeschwindigkeit; schergefalle; schergefaelle; geschwindigkeitsgefalle; geschwindigkeitsgefaelle; taux de
cisaillement; gradient de cisaillement; vitesse de cisaillement; gradient de vitesse; velocidad de corte;
velocidad de cizalla; velocidad de cizallamiento; velocidad de cizalladura; velocidad de deformacion; tasa de
corte; tasa de cizalla; gradiente de velocidad; velocita di taglio; gradiente di velocita; taxa de
cisalhamento; taxa de corte; afschuifsnelheid; скорость сдвига; 剪切速率; せん断速度; gammadot; gamma dot; gammapunkt;
gamma punkt; gdot; gammap; 8v d; 8u d; rate"""
_STRESSES = """shear stress; shearstress; stress; schubspannung; scherspannung; contrainte de cisaillement; contrainte
tangentielle; contrainte; esfuerzo cortante; esfuerzo de corte; esfuerzo de cizalla; esfuerzo de
cizallamiento; esfuerzo; tension de corte; tension cortante; tension de cizallamiento; sforzo di taglio;
tensao de cisalhamento; schuifspanning; напряжение сдвига; 剪切应力; せん断応力; tau; τ; sigma; σ"""
_VISCOSITIES = """viscosity; viskositat; viskositaet; scherviskositat; viscosite; viscosidad; viscosita; viscosidade;
viscositeit; вязкость; 粘度; eta; η; visc"""
_TORQUES = "torque; drehmoment; couple; par de torsion; par; coppia; momento torsor; torsion moment"
_TEMPERATURES = "temperature; temperatur; temp; temperatura; температура; 温度"
_SAMPLES = """sample; sample name; sample id; probe; probenname; echantillon; muestra; campione; amostra; material;
fluid; substance; specimen"""
_STEPS = "step; step name; interval; intervall; intervalle; abschnitt; segment; seg; action name; ramp; rampe; etape"
_SIGMAS = """std; stdev; std dev; stddev; sd; standard deviation; standardabweichung; ecart type; desviacion estandar;
deviazione standard; error; err; fehler; erreur; uncertainty; unsicherheit; incertitude; incertidumbre;
standard error"""
# Not of steady shear, or not the quantity itself.
_OSCILLATION = """storage; loss; complex; komplex; komplexe; complexe; complejo; compleja; oscillation; oscillatory;
oszillation; amplitude; angular frequency; frequency; kreisfrequenz; frequenz; frequence; frecuencia;
speichermodul; verlustmodul; module de conservation; module de stockage; module de perte; phase angle;
phasenwinkel; angle de phase; tan delta; tandelta; tan; modulus; modul; modulo; g'; g''; g′; g″; g*; eta*;
omega; ω; f"""
_OTHERS = """normal; yield; relaxation; kinematic; kinematische; cinematique; cinematica; speed; drehzahl; vitesse de
rotation; velocity; time; zeit; temps; tiempo; tempo; residual; compliance; deflection; auslenkung; gap;
spalt; status; force; kraft; power; energy; inherent; relative; specific; intrinsic; reduced;
number; zahl; strain; deformation; no"""


_PHRASES = {
    holds: sorted((" ".join(each.split()) for each in text.split(";")), key=len, reverse=True)
    for holds, text in {
        "rate": _RATES,
        "stress": _STRESSES,
        "viscosity": _VISCOSITIES,
        "torque": _TORQUES,
        "temperature": _TEMPERATURES,
        "sample": _SAMPLES,
        "step": _STEPS,
        "sigma": _SIGMAS,
        "oscillation": _OSCILLATION,
        "other": _OTHERS,
    }.items()
}
# Too short, or too common, to be looked for inside a longer name.
_ALONE = {
    "rate",
    "par",
    "couple",
    "temp",
    "step",
    "ramp",
    "probe",
    "material",
    "fluid",
    "sample",
    "visc",
    "interval",
}
_ALONE |= {"rampe", "seg", "campione", "segment", "substance", "intervalle", "intervall"}
# Names of one letter, with what their unit measures; "any" needs no unit (Thermo Haake's GP is γ with a point).
_SHORT = {"gp": "any", "d": "rate", "g": "rate", "γ": "rate", "t": "temperature", "m": "torque"}
# Rests of names that tell one measure of the same thing from another, and not one sample from another.
QUALIFIERS = {
    *("apparent", "true", "wall", "corrected", "uncorrected", "raw", "rim", "nominal", "measured", "set", "target"),
    *("actual", "setpoint", "set point", "newtonian", "average", "avg", "mean", "soll", "ist", "scheinbare", "wahre"),
    *("apparente", "aparente", "vraie", "at the wall", "8v d", "8u d"),
}


def plain(name: str) -> str:
    """A name in small letters without accents and punctuation; γ̇ is ``gammadot``."""
    text = unicodedata.normalize("NFD", name).replace("\u03b3\u0307", " gammadot ")
    text = "".join(each for each in text if not unicodedata.combining(each)).casefold()
    return " ".join(re.sub(r"[_\-.,:;/|\"()\[\]{}<>=#]+", " ", text).split())


@lru_cache(4096)
def role_of(name: str, dimension: str = "") -> tuple[str, str]:
    """What a column holds and the rest of its name: (``stress``, ``a``) for ``Shear stress A``.

    ``dimension`` is that of its unit, empty where none is stated. Roles are rate, stress, viscosity, sigma (of
    the stress), sigma_viscosity, torque, temperature, sample, step, oscillation and other.
    """
    text = plain(name)
    if _SHORT.get(text) in (dimension, "any"):
        return dimension if _SHORT[text] == dimension else "rate", ""
    spread = next((rest for phrase in _PHRASES["sigma"] if (rest := _rest(phrase, text)) is not None), None)
    role, label = _matched(text if spread is None else spread)
    for unlike in ("oscillation", "other"):
        if any(f" {phrase} " in f" {label} " for phrase in _PHRASES[unlike]):
            return unlike, text
    if spread is not None:
        return {"stress": "sigma", "": "sigma", "viscosity": "sigma_viscosity"}.get(role, "other"), label
    return role or "other", label


def _matched(text: str) -> tuple[str, str]:
    """The role whose name is longest in the text, and what is left."""
    best = ("", text, 0)
    for role in ("rate", "stress", "viscosity", "torque", "temperature", "sample", "step"):
        for phrase in _PHRASES[role]:
            if len(phrase) > best[2] and (label := _rest(phrase, text)) is not None:
                best = (role, label, len(phrase))
    return best[0], best[1]


def _rest(phrase: str, text: str) -> str | None:
    """The text without a phrase that is in it as words; None where it is not."""
    if phrase not in text or (phrase in _ALONE and phrase != text):
        return None
    match = re.search(rf"(?<!\w){re.escape(phrase)}(?![^\W\d])", text)
    return None if match is None else " ".join(f"{text[: match.start()]} {text[match.end() :]}".split())


# Roles that the user may give.
ROLES = ("rate", "stress", "viscosity", "sigma", "torque", "temperature", "sample")
# What a column of each role may measure.
_MEASURES = {
    "rate": "rate",
    "stress": "stress",
    "sigma": "stress",
    "viscosity": "viscosity",
    "sigma_viscosity": "viscosity",
    "torque": "torque",
    "temperature": "temperature",
}
_BRACKETS = re.compile(r"^(.*?)[\[(]([^\[\]()]*(?:\([^()]*\)[^\[\]()]*)?)[\])]\s*$")
_WORDED = re.compile(r"^(.+?)\s+(?:in|en|/)\s+(\S.*)$")
# Round brackets that hold a label and no unit: (A), (25 °C), (sample B), (up).
_LABEL = re.compile(r"[A-Za-z]|\d.*|.*\s.*|up|down|auf|ab")
# A logarithm of which neither base nor extent is clear: "Log. shear rate", "stress (log scale)".
_LOGARITHMIC = re.compile(r"(?<![^\W_])(log|lg|ln|logarith?m\w*)(?![^\W_])", re.IGNORECASE)
_SEPARATOR = re.compile(r"[\s,_/]+")
# Units that are recognised behind a name without brackets.
SAFE = ("rate", "stress", "viscosity", "torque")
# Marks of a unit in round brackets, where a label might be: (1/d), (10^3 acre), (kips/ft2).
_UNITLIKE = re.compile(r"1\s*/|.*[\^²³⁻]|.*\bper\b")


@dataclass(frozen=True)
class Column:
    """One column: its ``index``, the ``name`` as it is in the file, the ``unit`` (None where none is stated),
    what it holds (see ``role_of``), the rest of its name, and the ``base`` of the logarithm that it holds: None where
    it holds none, NaN where the file does not say of which base. ``wrong`` says what is with the row of units."""

    index: int
    name: str
    unit: Unit | None
    role: str
    label: str
    base: float | None = None
    wrong: str = ""

    @property
    def measures(self) -> str:
        """What a column of its role measures; empty for those that are not read as numbers."""
        return _MEASURES.get(self.role, "")

    def to_si(self, values: Any) -> Any:
        """Numbers (n,) in SI, or in the user's units where none is stated."""
        linear = values if self.base is None else self.base**values
        return linear if self.unit is None else self.unit.to_si(linear)

    def with_unit(self, text: str, where: str) -> Column:
        """With the unit of a row of units; ``wrong`` where it is not known or contradicts that of the name."""
        found = unit(text)
        wrong = ""
        if found is None and self.measures:
            wrong = f"{where}: the unit '{text}' of '{self.name}' is not known: give --units {self.role}=…"
        if found and self.unit and found != self.unit:
            wrong = f"{where}: '{self.name}' states one unit and the row of units '{text}': correct one"
        return replace(column(self.index, self.name, found or self.unit), wrong=wrong)

    def given(self, text: str) -> Column:
        """With the unit that the user gives in place of the file's, which may be one of a logarithm: ``lg(1/s)``."""
        found = unit(text)
        if found is None or found.base is None:
            base = None if self.base is not None and math.isnan(self.base) else self.base
            return replace(self, unit=found, base=base, wrong="")
        return replace(self, unit=replace(found, base=None), base=found.base, wrong="")


def column(index: int, name: str, stated: Unit | None = None) -> Column:
    """The column of a name such as ``Shear rate [1/s]``, ``Tau in Pa``, ``η / mPa·s``, ``stress_Pa``, ``lg(τ/Pa)``."""
    base, linear = logarithm(name)
    own, text = split(linear)
    found = stated or (unit(text) if text else None)
    if found is not None and found.base is not None:
        base, found = found.base, replace(found, base=None)
    role, label = role_of(own, found.dimension if found else "")
    if base is None and _LOGARITHMIC.search(own):
        base = math.nan
    if base is not None and role.startswith("sigma"):
        role = "other"
    capitals = re.search(rf"(?<!\w){re.escape(label)}(?!\w)", own, re.IGNORECASE)
    return Column(index, name.strip(), found, role, capitals[0] if capitals else label, base)


def split(name: str) -> tuple[str, str]:
    """The name without its unit, and the unit's text (empty without one; it need not be known)."""
    name = name.strip().strip('"').strip()
    bracketed = _BRACKETS.match(name)
    if bracketed:
        own, inside = bracketed[1].strip(), bracketed[2].strip()
        if unit(inside) is not None or name.endswith("]") or _is_unitlike(inside):
            return own, inside
        is_label = not inside or _LABEL.fullmatch(inside) or inside.casefold() in QUALIFIERS
        return (name, "") if is_label else (own, inside)
    worded = _WORDED.match(name)
    if worded and unit(worded[2]) is not None:
        return worded[1], worded[2]
    for gap in _SEPARATOR.finditer(name):
        own, tail = name[: gap.start()], name[gap.end() :]
        if own and (len(tail) > 1 or tail == "P") and (found := unit(tail)) is not None and found.dimension in SAFE:
            return own, tail
    return name, ""


def _is_unitlike(text: str) -> bool:
    """Whether a text that is no known unit is meant as one: (kips/ft2) and no label."""
    letters = re.findall(r"[A-Za-zµ]+", text)
    known = [found for each in letters if len(each) > 1 and (found := unit(each)) is not None]
    return bool(_UNITLIKE.match(text)) or any(each.dimension in SAFE for each in known)


def is_known(name: str) -> bool:
    """Whether a name is of something that rheometers measure, or states a known unit."""
    own, text = split(logarithm(name)[1])
    if text and unit(text) is not None:
        return True
    return any(_rest(phrase, plain(own)) is not None for phrases in _PHRASES.values() for phrase in phrases)


def is_time(column: Column) -> bool:
    """Whether a column tells when its rows were measured."""
    return column.role == "other" and not _TIMES.isdisjoint(plain(split(column.name)[0]).split())


_TIMES = {"time", "zeit", "temps", "tiempo", "tempo", "tijd", "时间", "t"}


def size_of(column: Column) -> str:
    """``gap``, ``diameter`` or ``length`` for a column of such a size, with a unit of length; empty for others."""
    if column.unit is None or column.unit.dimension != "length":
        return ""
    words = plain(split(column.name)[0]).split()
    return next((name for name, known in _SIZES.items() if not known.isdisjoint(words)), "")


_SIZES = {
    "gap": {"gap", "spalt", "spaltweite", "entrefer", "h"},
    "diameter": {"diameter", "durchmesser", "diametre", "diametro", "d"},
    "length": {"length", "lange", "laenge", "longueur", "longitud", "lunghezza", "l"},
}


def check(columns: list[Column], where: str) -> None:
    """ReadError for a column that is read as numbers and whose unit is not known, or measures something else."""
    for each in columns:
        text = split(logarithm(each.name)[1])[1]
        if not each.measures:
            continue
        if each.wrong:
            raise ReadError(each.wrong)
        if each.base is not None and math.isnan(each.base):
            raise ReadError(
                f"{where}: '{each.name}' is a logarithm of base 10 or e: say which, with --units {each.role}=lg("
                f"{SI[each.measures]}) or {each.role}=ln({SI[each.measures]}), or {each.role}={SI[each.measures]} if "
                "it is none"
            )
        if each.unit is None and text:
            raise ReadError(f"{where}: the unit '{text}' of '{each.name}' is not known: give --units {each.role}=…")
        if each.unit and each.unit.dimension == "kinematic viscosity":
            raise ReadError(f"{where}: '{each.name}' is a kinematic viscosity: multiply it by the density first")
        if each.unit and each.unit.dimension != each.measures:
            other = f"has the unit of a {each.unit.dimension}".replace("of a other", "of something else")
            raise ReadError(
                f"{where}: '{each.name}' {other}, not of a {each.measures}: "
                f"say what it is with --columns, or correct its unit with --units {each.role}=…"
            )


# SI units of what is read, as they are printed.
SI = {"rate": "1/s", "stress": "Pa", "viscosity": "Pa s", "torque": "N m", "temperature": "°C"}
