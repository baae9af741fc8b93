"""What a column holds, by its name in several languages."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

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


def _phrases(text: str) -> list[str]:
    return sorted((" ".join(each.split()) for each in text.split(";")), key=len, reverse=True)


_ROLES = {
    "rate": _phrases(_RATES),
    "stress": _phrases(_STRESSES),
    "viscosity": _phrases(_VISCOSITIES),
    "torque": _phrases(_TORQUES),
    "temperature": _phrases(_TEMPERATURES),
    "sample": _phrases(_SAMPLES),
    "step": _phrases(_STEPS),
}
# Too short, or too common, to be looked for inside a longer name.
_ALONE = {"rate", "par", "couple", "temp", "step", "ramp", "probe", "material", "fluid", "sample", "visc", "interval"}
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


_SIGMA_PHRASES, _OSCILLATION_PHRASES, _OTHER_PHRASES = map(_phrases, (_SIGMAS, _OSCILLATION, _OTHERS))


@lru_cache(4096)
def role_of(name: str, dimension: str = "") -> tuple[str, str]:
    """What a column holds and the rest of its name: (``stress``, ``a``) for ``Shear stress A``.

    ``dimension`` is that of its unit, empty where none is stated. Roles are rate, stress, viscosity, sigma (of
    the stress), sigma_viscosity, torque, temperature, sample, step, oscillation and other.
    """
    text = plain(name)
    if _SHORT.get(text) in (dimension, "any"):
        return dimension if _SHORT[text] == dimension else "rate", ""
    spread = next((rest for phrase in _SIGMA_PHRASES if (rest := _rest(phrase, text)) is not None), None)
    role, label = _matched(text if spread is None else spread)
    if _is_any(_OSCILLATION_PHRASES, label):
        return "oscillation", text
    if _is_any(_OTHER_PHRASES, label):
        return "other", text
    if spread is not None:
        return {"stress": "sigma", "": "sigma", "viscosity": "sigma_viscosity"}.get(role, "other"), label
    return role or "other", label


def _matched(text: str) -> tuple[str, str]:
    """The role whose name is longest in the text, and what is left."""
    best = ("", text, 0)
    for role, phrases in _ROLES.items():
        for phrase in phrases:
            if len(phrase) > best[2] and (label := _rest(phrase, text)) is not None:
                best = (role, label, len(phrase))
    return best[0], best[1]


def _rest(phrase: str, text: str) -> str | None:
    """The text without a phrase that is in it as words; None where it is not."""
    if phrase not in text or (phrase in _ALONE and phrase != text):
        return None
    match = re.search(rf"(?<!\w){re.escape(phrase)}(?![^\W\d])", text)
    return None if match is None else " ".join(f"{text[: match.start()]} {text[match.end() :]}".split())


def _is_any(phrases: list[str], text: str) -> bool:
    words = f" {text} "
    return any(f" {phrase} " in words for phrase in phrases)
