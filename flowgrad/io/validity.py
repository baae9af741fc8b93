"""Validity of velocity samples, by masks and flags among a file's arrays or by a condition that the user gives.

A mask is 1 where there is fluid (ocean models, magnetic resonance, pivpy 0.4) or where there is none (OpenPIV), so that
its name alone tells nothing. What decides, in this order: the condition of ``--valid``; the attributes ``flag_values``,
``flag_masks`` and ``flag_meanings`` (CF conventions 1.11, 3.5) and standard names; names that one program writes; the
samples themselves, where all of one value are blank (zero or not finite) and those of the other are not. Else the user
is asked. All readers and conversions share this.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from flowgrad.errors import OptionError
from flowgrad.formula.array_expression import ArrayExpression, quoted, saying
from flowgrad.io.formats import Contents
from flowgrad.io.point_samples import plain
from flowgrad.tensors import finite_rows
from flowgrad.typing import BoolArray

log = logging.getLogger("flowgrad")

Attributes = Mapping[str, Mapping[str, Any]]
_ATTRIBUTES = ("standard_name", "flag_values", "flag_masks", "flag_meanings", "ancillary_variables")

# Words of meanings and of names: those of places tell where there is fluid, those of quality whether a value is good.
_PLACES = (
    frozenset(["water", "sea", "ocean", "fluid", "wet", "lake", "river", "blood", "lumen"]),
    frozenset(
        ["land", "solid", "dry", "masked", "obstacle", "obstacles", "body", "wall", "tissue", "coast", "bottom", "rock"]
    ),
)
_QUALITY = (
    frozenset(["good", "valid", "ok", "correct"]),
    frozenset(["bad", "invalid", "missing", "fail", "failed", "wrong"]),
)
_NOT = frozenset(["not", "no", "non"])
# Over land there is wind.
_WIND = re.compile(r"wind|air", re.IGNORECASE)
_MASK = frozenset(("mask", "binary"))

# Which values are measured ones.
_SET, _CLEAR, _ONE = "not 0", "0", "1 or more"
_KEPT: Mapping[str, Callable[[np.ndarray], BoolArray]] = {
    _SET: lambda values: values != 0,
    _CLEAR: lambda values: values == 0,
    _ONE: lambda values: values >= 1,
}
# Names that one program writes, without capitals, spaces and joints, and whose they are.
_KNOWN = {
    **dict.fromkeys(("vtkvalidpointmask", "vtkvalidcellmask"), (_SET, "VTK's probe and resample filters")),
    **dict.fromkeys(("typevector", "vectortype"), (_SET, "PIVlab: 0 masked, 1 measured, 2 interpolated")),
    "chc": (_ONE, "the choice code of TSI's Insight and of pivpy"),
    **dict.fromkeys(("isvalid", "valid"), (_SET, "DaVis")),
    "invalid": (_CLEAR, "by its name"),
    **dict.fromkeys(("flag", "flags"), (_CLEAR, "OpenPIV")),
    **dict.fromkeys(("maskrho", "tmask"), (_SET, "water in ROMS and NEMO")),
}
# Names whose meaning is open; solids are left out only where the samples in them are blank.
_OPEN, _SOLIDS = frozenset(("mask", "masks")), frozenset(("solid", "solids", "issolid", "obstacle", "obstacles"))
# A name without a part of these is that of no flag.
FLAGLIKE = re.compile(r"mask|flag|valid|chc|type.?vector|vector.?type|solid|obstacle|binary", re.IGNORECASE)
# What :func:`flowgrad.write` writes beside its own ``valid``, which tells where there is a gradient.
_OURS = frozenset(("L", "D", "W"))


def attributes_of(given: Mapping[Any, Any]) -> dict[str, Any]:
    """Those attributes of a variable that tell what it is (CF conventions 1.11, appendix A); ROMS has option_0, … in
    place of flag_meanings."""
    about = {name: given[name] for name in _ATTRIBUTES if name in given}
    options = {key.removeprefix("option_"): text for key, text in given.items() if str(key).startswith("option_")}
    if options and "flag_meanings" not in about and all(number.isdigit() for number in options):
        meanings = " ".join("_".join(str(text).split()) for text in options.values())
        about |= {"flag_values": [int(number) for number in options], "flag_meanings": meanings}
    return about


@dataclass(frozen=True)
class FlagCounts:
    """How many samples there are, and how many of them are blank, where an array is 0, 1 and something else."""

    count: tuple[int, ...] = (0, 0, 0)
    blank: tuple[int, ...] = (0, 0, 0)

    @classmethod
    def of(cls, values: np.ndarray, velocity: np.ndarray) -> FlagCounts:
        """Of values (n,) beside velocities (n, 3)."""
        is_known = np.isfinite(values)
        values, velocity = values[is_known], velocity[is_known]
        is_blank = ~finite_rows(velocity) | ~velocity.any(axis=1)
        classes = np.where(values == 0, 0, np.where(values == 1, 1, 2))
        counts = (np.bincount(each, minlength=3).tolist() for each in (classes, classes[is_blank]))
        return cls(*map(tuple, counts))

    def __add__(self, other: FlagCounts) -> FlagCounts:
        """Those of both parts of a file."""
        count, blank = np.add(self.count, other.count), np.add(self.blank, other.blank)
        return FlagCounts(tuple(count.tolist()), tuple(blank.tolist()))

    @property
    def is_constant(self) -> bool:
        """Whether the array is 0 or 1 everywhere and tells nothing."""
        return not self.count[2] and 0 in self.count[:2]

    @property
    def kept(self) -> str:
        """Which values the samples show to be fluid; nothing where they show none."""
        (zeros, *others), (blank_zeros, *blank_others) = self.count, self.blank
        if 0 < zeros == blank_zeros and 2 * sum(blank_others) < sum(others):
            return _SET
        return _CLEAR if 0 < sum(others) == sum(blank_others) and 2 * blank_zeros < zeros else ""

    def left_by(self, rule: Callable[[np.ndarray], BoolArray]) -> bool:
        """Whether a rule leaves samples that are not blank, if there are any."""
        is_kept = [*rule(np.array([0.0, 1.0])), True]
        moving = np.subtract(self.count, self.blank)
        return bool(moving[is_kept].any() or not moving.any())


@dataclass(frozen=True, eq=False)
class _Meaning:
    """Which values (n,) of an array are kept, and why; ``certainty`` is ``told`` by the file, ``known`` of a program,
    ``open``, or ``solid``: open, and nothing where the samples do not show it."""

    kept: Callable[[np.ndarray], BoolArray]
    why: str
    certainty: str

    @classmethod
    def of(cls, values: str, why: str, certainty: str) -> _Meaning:
        """The meaning of an array that is kept where it is ``0``, ``not 0``, ``1 or more``."""
        return cls(_KEPT[values], f"kept where {values}, {why}", certainty)


@dataclass(frozen=True, eq=False)
class Validity:
    """Which samples at a place are measured: by the ``meanings`` of arrays, or by a ``condition``, which alone counts
    then."""

    meanings: Mapping[str, _Meaning]
    condition: ArrayExpression | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The arrays that tell."""
        return tuple(self.meanings) if self.condition is None else self.condition.names

    def away(self, arrays: Mapping[str, np.ndarray]) -> list[BoolArray]:
        """What is left out (n,) by each of the names, or by the condition, of arrays (n,) or, there, (n, k)."""
        if self.condition is None:
            return [~np.isfinite(arrays[name]) | ~each.kept(arrays[name]) for name, each in self.meanings.items()]
        kept = self.condition.of(arrays)
        if kept.shape[1:] != (1,):
            raise OptionError(f"'{self.condition.text}' has {kept.shape[1]} components: write mag(…)")
        return [~kept[:, 0].astype(bool)]

    def note(self, counts: Sequence[int], total: int) -> str:
        """How many of all velocities are left out by each."""
        by = [f"'{name}' ({meaning.why})" for name, meaning in self.meanings.items()]
        if self.condition is not None:
            by = [f"--valid {self.condition.text}"]
        said = ", ".join(f"{count} by {each}" for count, each in zip(counts, by, strict=True))
        return f"of {total} velocities, as no measurement are left out: {said}"


def apply_validity(
    contents: Contents, velocity: np.ndarray, where: str, name: str, valid: str | None
) -> tuple[np.ndarray, tuple[str, ...]]:
    """The velocity (n, 3) of a name with NaN where the arrays beside it say that it is none, and a note of how many
    that are; errors are those of :func:`validity_of`."""
    here = contents.data(where)
    given = here if valid is not None else {key: values for key, values in here.items() if key not in contents.no_flags}

    def counts(key: str) -> FlagCounts:
        return FlagCounts.of(given[key], velocity)

    found = validity_of(contents.source, given, contents.attributes, name, valid, counts)
    if found is None:
        return velocity, ()
    with saying(f"{contents.source}: --valid"):
        away = found.away(given)
    note = found.note([int(each.sum()) for each in away], len(velocity))
    log.info("%s: %s", contents.source, note)
    return np.where(np.logical_or.reduce(away)[:, None], np.nan, velocity), (note,)


def validity_of(
    source: Path,
    arrays: Mapping[str, np.ndarray],
    attributes: Attributes,
    velocity: str,
    valid: str | None,
    counts: Callable[[str], FlagCounts],
) -> Validity | None:
    """What decides at a place with these ``arrays``, of which some rows are enough, and their ``attributes``; None
    where nothing does. ``counts`` looks at all samples beside an array.

    OptionError where the meaning of a mask is open or would leave nothing, and for a condition that is none.
    """
    if valid is not None:
        with saying(f"{source}: --valid"):
            return Validity({}, ArrayExpression.parse(valid, list(arrays), is_condition=True))
    meanings: dict[str, _Meaning] = {}
    for name, meaning in _meanings(arrays, attributes, velocity).items():
        seen = FlagCounts() if meaning.certainty == "told" else counts(name)
        if meaning.certainty in ("open", "solid"):
            if seen.is_constant or (meaning.certainty == "solid" and not seen.kept):
                continue
            if not seen.kept:
                raise _question(source, name, seen, "which of them is fluid is not told")
            meaning = _Meaning.of(seen.kept, "as all velocities elsewhere are zero or missing", "told")
        elif not seen.left_by(meaning.kept):
            raise _question(source, name, seen, f"{meaning.why}, none would be left")
        meanings[name] = meaning
    return Validity(meanings) if meanings else None


def _question(source: Path, name: str, seen: FlagCounts, why: str) -> OptionError:
    zeros, ones, others = seen.count
    more = f" and another value at {others}" if others else ""
    return OptionError(
        f"{source}: '{name}' is 0 at {zeros} and 1 at {ones}{more} of {sum(seen.count)} velocities; {why}: say what is "
        f"measured, --valid '{quoted(name)}==1' or --valid '{quoted(name)}==0'"
    )


def _meanings(arrays: Mapping[str, np.ndarray], attributes: Attributes, velocity: str) -> dict[str, _Meaning]:
    parts = [velocity] if velocity in arrays else [part.strip() for part in velocity.split(",")]
    about = [attributes.get(part, {}) for part in parts]
    ancillary = {name for each in about for name in str(each.get("ancillary_variables", "")).split()}
    is_wind = any(_WIND.search(str(each.get("standard_name", ""))) for each in about)
    is_ours = any(arrays[name].shape[1:] == (9,) for name in _OURS & arrays.keys())
    scalars = [n for n, v in arrays.items() if v.ndim == 1 and v.dtype.kind in "fiub" and n not in parts]
    found: dict[str, _Meaning] = {}
    for name in scalars:
        is_flag = plain(name) in _KNOWN or plain(name) in _OPEN
        meaning = _told(attributes.get(name, {}), name in ancillary or is_flag, is_wind)
        if meaning is None and plain(name) == "mask" and "flags" in map(plain, scalars):
            meaning = _Meaning.of(_CLEAR, "OpenPIV, beside its flags", "known")
        meaning = meaning or _by_name(name, is_wind)
        if meaning is not None and not (is_ours and name == "valid"):
            found[name] = meaning
    return found


def _by_name(name: str, is_wind: bool) -> _Meaning | None:
    word = plain(name)
    if word in _KNOWN:
        return _Meaning.of(*_KNOWN[word], "known")
    if word in _OPEN or word in _SOLIDS:
        return _Meaning.of(_SET, "", "open" if word in _OPEN else "solid")
    words = set(re.split(r"[\s_-]+", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()))
    is_fluid = _is_measured(words - _MASK, is_wind, True) if words & _MASK else None
    return None if is_fluid is None else _Meaning.of(_SET if is_fluid else _CLEAR, "by its name", "known")


def _told(about: Mapping[str, Any], of_quality: bool, is_wind: bool) -> _Meaning | None:
    """The meaning by flag_meanings or a standard name; None where they tell none."""
    standard = str(about.get("standard_name", ""))
    if standard.endswith("_binary_mask"):
        return _by_name(standard, is_wind)
    meanings = str(about.get("flag_meanings", "")).split()
    masks = np.atleast_1d(about["flag_masks"]) if "flag_masks" in about else None
    values = np.atleast_1d(about["flag_values"]) if "flag_values" in about else masks
    if values is None or len(meanings) != len(values) or (masks is not None and len(masks) != len(values)):
        return None
    kept = [_is_measured(set(re.split(r"[_-]", each.lower())), is_wind, of_quality) for each in meanings]
    if False not in kept or (True not in kept and masks is None):
        return None
    away = [number for number, keeps in enumerate(kept) if keeps is False]

    def rule(given: np.ndarray) -> BoolArray:
        fits = np.zeros(len(given), bool)
        for number in away:
            bits = given if masks is None else given.astype(np.int64) & int(masks[number])
            fits |= bits == values[number]
        return ~fits

    return _Meaning(rule, f"{', '.join(meanings[number] for number in away)}, by its flag_meanings", "told")


def _is_measured(words: set[str], is_wind: bool, of_quality: bool) -> bool | None:
    """Whether some words are of what is measured; None where they tell neither, or both."""
    groups = ([] if is_wind else [_PLACES]) + ([_QUALITY] if of_quality else [])
    is_good, is_bad = (any(words & group[number] for group in groups) for number in (0, 1))
    return None if is_good == is_bad else is_good != bool(words & _NOT)
