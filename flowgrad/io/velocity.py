"""Velocity among a file's arrays: by the name given, or by the field's usual ones."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flowgrad.errors import OptionError
from flowgrad.formula.array_expression import ArrayExpression, saying
from flowgrad.io.formats import Arrays, Contents, listed
from flowgrad.io.point_samples import name_and_unit
from flowgrad.option import LOCATIONS
from flowgrad.spec import nearest

# Usual names of a velocity: OpenFOAM, ParaView, SU2, Nek5000, deal.II, FEniCS, meshio, PIV programs.
VECTORS = (
    *("U", "velocity", "Velocity", "VELOCITY", "u", "v", "V", "vel", "Vel", "VEL"),
    *("vectors", "Vectors", "velocities", "Velocities", "velocity_field", "Velocity_Field", "uvw", "UVW"),
)

# Usual names of its components; the third may be absent in planar data.
_BESIDE = (
    *("{}-velocity", "{}_velocity", "{} velocity", "{}-Velocity", "{}_Velocity", "{} Velocity", "{}vel"),
    "{}_VELOCITY",
)
_WORDS = ("U", "u", "V", "v", "vel", "Vel", "velocity", "Velocity")
_DIRECT = tuple(f"{word}{{}}" for word in _WORDS)
_APART = tuple(f"{word}{sign}{{}}" for word in _WORDS for sign in "_- :")
_BRACKETS = ("velocity[{}]", "Velocity[{}]")
_LETTERS, _NUMBERS = (("x", "y", "z"), ("X", "Y", "Z")), (("0", "1", "2"),)


def _named(patterns: Iterable[str], axes: Iterable[tuple[str, ...]]) -> list[tuple[str, ...]]:
    return [tuple(pattern.format(axis) for axis in triple) for pattern in patterns for triple in axes]


COMPONENTS = (
    ("u", "v", "w"),
    ("U", "V", "W"),
    *_named(("velocity_{}", "Velocity_{}", "velocity {}", "Velocity {}"), (("u", "v", "w"),)),
    *_named((*_BESIDE, *_DIRECT, *_APART, *_BRACKETS), _LETTERS),
    *_named((*_APART, *_BRACKETS), _NUMBERS),
    *_named(_BRACKETS, (("i", "j", "k"),)),
    # Of single programs and archives: MPI-AMRVAC; PLUTO; Athena++; FLASH; MITgcm; CICE; Fluent's .dat.h5; TELEMAC;
    *(("v1", "v2", "v3"), ("vx1", "vx2", "vx3"), ("vel1", "vel2", "vel3"), ("VELX", "VELY", "VELZ")),
    *(("UVEL", "VVEL", "WVEL"), ("uvel", "vvel", "wvel"), ("SV_U", "SV_V", "SV_W")),
    *(("VELOCITY U", "VELOCITY V", "VELOCITY W"), ("mesh2d_ucx", "mesh2d_ucy", "mesh2d_ucz")),
    # D-Flow FM (above); CMIP and Copernicus Marine, sea and air; HYCOM; NEMO; ROMS; ERA5; altimetry.
    *(("uo", "vo", "wo"), ("ua", "va", "wa"), ("water_u", "water_v"), ("vozocrtx", "vomecrty", "vovecrtz")),
    *(("u_eastward", "v_northward"), ("u10", "v10"), ("ugos", "vgos")),
)
# Taken where there is no velocity under a name above: a phase's, and a mean, as OpenFOAM names them.
_SECOND = re.compile(r"U\.[\w.]+|UMean|velocityMean|mean_velocity|velocity_mean|VelocityMean")
# A unit at the end of a name, as LaMEM's ``velocity [cm/yr]`` and ``velocity [ ]``.
_UNIT = re.compile(r"[\[(](?:\s*-?\s*|[^\[\]()]*(?:/|-1)[^\[\]()]*)[\])]$")


@dataclass(frozen=True, eq=False)
class VelocityExpression:
    """A velocity that is not stored, as an expression of vectors or two or three of scalars, over ``names``."""

    parts: tuple[ArrayExpression, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The arrays that it is made of."""
        return tuple(dict.fromkeys(name for part in self.parts for name in part.names))

    def of(self, arrays: Mapping[str, np.ndarray]) -> np.ndarray:
        """Values (n, 2) or (n, 3); NaN where they are not finite, as quotients where both are zero."""
        values = np.concatenate([part.of(arrays) for part in self.parts], axis=1)
        return np.where(np.isfinite(values), values, np.nan)


def expression_of(text: str, known: Sequence[str]) -> VelocityExpression | None:
    """The expression that a text is, over arrays of the ``known`` names; None for one or several of these, and for
    texts without an operation. Raises OptionError for what is no such expression."""
    parts = re.split(r",(?![^()]*\))", text)
    if text in known or all(part.strip() in known for part in parts) or not re.search(r"[*/+^(\"-]", text):
        return None
    return VelocityExpression(tuple(ArrayExpression.parse(part, known) for part in parts))


@dataclass(frozen=True, eq=False)
class _Candidate:
    """A velocity that a file may hold: its name, and the arrays it is made of at each location."""

    name: str
    at: dict[str, list[np.ndarray]]

    @property
    def location(self) -> str:
        """Values in cells are the solver's own, those at points an interpolation of them."""
        return "cells" if "cells" in self.at else "points"

    def __str__(self) -> str:
        return ", ".join(f"'{self.name}' on {where} {_stacked(parts).shape}" for where, parts in self.at.items())


def choose_velocity(
    contents: Contents, name: str | None = None, location: str | None = None
) -> tuple[str, str, NDArray[np.float64]]:
    """The velocity of a file: its name, its location and its vectors (n, 3).

    ``name`` is an array with 2 or 3 components or the names of two or three scalars, ``"u,v,w"``;
    without it the field's usual names are looked for. One name on points and on cells is one field:
    the cells are used unless ``location`` says otherwise. Raises OptionError where nothing fits, and
    where two different arrays do.
    """
    found = _explicit(contents, name) if name else _usual(contents, location)
    where = location or found.location
    if where not in found.at:
        raise OptionError(
            f"{contents.source}: '{found.name}' is not on {where} but on {found.location}: "
            f"give --location {found.location}"
        )
    return found.name, where, _vectors(found.name, found.at[where], contents)


def _data(contents: Contents) -> dict[str, Arrays]:
    return {"points": contents.point_data, "cells": contents.cell_data}


def _usual(contents: Contents, location: str | None) -> _Candidate:
    data = {where: arrays for where, arrays in _data(contents).items() if location in (None, where)}
    found = list(_candidates(data)) or list(_second(data))
    if not found:
        place = f" on {location}" if location else ""
        raise OptionError(f"{contents.source}: no velocity under a usual name{place}. {_offer(contents)}")
    for other in found[1:]:
        if not _same(found[0], other):
            raise OptionError(
                f"{contents.source}: {found[0]} and {other} could both be the velocity: say which with --velocity NAME"
            )
    return found[0]


def _candidates(data: dict[str, Arrays]) -> Iterator[_Candidate]:
    with_unit = {name: name_and_unit(name)[0] for arrays in data.values() for name in arrays if _UNIT.search(name)}
    for name in (*VECTORS, *(full for full, name in with_unit.items() if name in VECTORS)):
        at = _vectors_named(name, data)
        if at:
            yield _Candidate(name, at)
    named = {name: full for full, name in with_unit.items()}
    for usual in COMPONENTS:
        for names in dict.fromkeys((usual, tuple(named.get(name, name) for name in usual))):
            parts = {where: _scalars(arrays, names) for where, arrays in data.items()}
            for count in (3, 2):
                at = {where: scalars for where, scalars in parts.items() if len(scalars) == count}
                if at:
                    yield _Candidate(",".join(names[:count]), at)


def _second(data: dict[str, Arrays]) -> Iterator[_Candidate]:
    for name in dict.fromkeys(name for arrays in data.values() for name in arrays if _SECOND.fullmatch(name)):
        at = _vectors_named(name, data)
        if at:
            yield _Candidate(name, at)


def _vectors_named(name: str, data: dict[str, Arrays]) -> dict[str, list[np.ndarray]]:
    given = {where: arrays[name] for where, arrays in data.items() if name in arrays}
    return {where: [v] for where, v in given.items() if v.dtype.kind == "f" and v.shape[1:] in ((2,), (3,))}


def _scalars(arrays: Arrays, names: tuple[str, ...]) -> list[np.ndarray]:
    """The components that are there; none if the first are missing or one is no scalar field."""
    present = [name for name in names if name in arrays]
    values = [arrays[name] for name in present]
    fits = all(part.ndim == 1 and part.dtype.kind in "fiu" for part in values)
    return values if fits and present == list(names[: len(present)]) else []


def _same(one: _Candidate, other: _Candidate) -> bool:
    """Whether two candidates are one field under two names, as far as they can be compared."""
    shared = [where for where in LOCATIONS if where in one.at and where in other.at]
    pairs = [(_stacked(one.at[where]), _stacked(other.at[where])) for where in shared]
    return bool(pairs) and all(np.array_equal(a, b, equal_nan=True) for a, b in pairs)


def _stacked(parts: list[np.ndarray]) -> np.ndarray:
    """Vectors (n, 3) of one array or of its components."""
    values = parts[0] if len(parts) == 1 else np.column_stack(parts)
    if values.ndim == 2 and values.shape[1] == 2:
        values = np.column_stack([values, np.zeros(len(values))])
    return values


def _explicit(contents: Contents, name: str) -> _Candidate:
    names = [part.strip() for part in name.split(",")]
    known = list(dict.fromkeys(key for arrays in _data(contents).values() for key in arrays))
    with saying(f"{contents.source}: --velocity"):
        expression = expression_of(name, known)
    at: dict[str, list[np.ndarray]] = {}
    for where, arrays in _data(contents).items():
        if name in arrays:
            at[where] = [arrays[name]]
        elif len(names) in (2, 3) and all(part in arrays for part in names):
            at[where] = [arrays[part] for part in names]
        elif expression is not None and all(part in arrays for part in expression.names):
            with saying(f"{contents.source}: --velocity"):
                at[where] = [expression.of(arrays)]
    if not at and expression is not None:
        raise OptionError(f"{contents.source}: '{name}' joins arrays of points and of cells: give those of one place")
    if not at:
        missing = next((part for part in names if part not in known), name)
        raise OptionError(f"{contents.source}: no array '{missing}'{nearest(missing, known)}. {_offer(contents)}")
    return _Candidate(name, at)


def _vectors(name: str, parts: list[np.ndarray], contents: Contents) -> NDArray[np.float64]:
    if len(parts) > 1 and any(part.ndim != 1 for part in parts):
        shapes = ", ".join(str(part.shape) for part in parts)
        raise OptionError(f"{contents.source}: '{name}' has parts of the shapes {shapes}: name scalars")
    values = _stacked(parts)
    if values.ndim != 2 or values.shape[1] != 3:
        raise OptionError(f"{contents.source}: '{name}' has the shape {values.shape}, no vectors. {_offer(contents)}")
    return np.ascontiguousarray(values, np.float64)


def _offer(contents: Contents) -> str:
    found = [
        f"'{name}' on {where} {values.shape}"
        for where, arrays in _data(contents).items()
        for name, values in arrays.items()
        if values.ndim == 2 and values.shape[1] in (2, 3)
    ]
    if not found:
        return "It has no array with 2 or 3 components: name the components with --velocity u,v,w"
    return f"Arrays with 2 or 3 components are {listed(found)}: choose one with --velocity NAME"
