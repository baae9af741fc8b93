"""Fluid inputs of a separation: the stress, viscosity, density or model that was given, found and checked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flowgrad.errors import OptionError
from flowgrad.kinematics import VelocityGradient
from flowgrad.kinematics.arrays import array_of, scalars, sized
from flowgrad.momentum.identification import Identification
from flowgrad.reprs import ReprMixin
from flowgrad.rheology.flow_curve import NEGLIGIBLE_RATE
from flowgrad.rheology.model import MODELS, Model
from flowgrad.rheology.models import Newtonian, parse_model
from flowgrad.tensors import as_tensors
from flowgrad.typing import FloatArray

# What is given for a viscosity that the velocity alone is to tell.
IDENTIFY = "identify"

# Names of turbulent eddy viscosities, in lower case and without spaces, underscores, dots and hyphens.
_EDDY = re.compile(r"(nut|mut|nutilda|nusgs|musgs|(eddy|turb|turbulent)visc.*|visc(osity)?(eddy|turb|turbulent|t))")
_VISCOSITY = re.compile(r"(nu|mu|eta|visc.*|nuofu|dynamicviscosity|kinematicviscosity)")
_STRESS = re.compile(r".*(sigma|tau|stress).*")


@dataclass(frozen=True, eq=False)
class Given(ReprMixin, line="option text law density"):
    """What is known of the fluid at the n tensors of a gradient.

    At most one of ``stress`` (n, 3, 3) and ``viscosity`` (n,) is not None; ``law`` or ``identification`` is what the
    viscosity was computed from. ``option`` and ``text`` are how it was given. With a ``density`` all
    values are dynamic; without one they are what the data have, dynamic or divided by the density.
    """

    option: str = ""
    text: str = ""
    stress: FloatArray | None = None
    viscosity: FloatArray | None = None
    law: Model | None = None
    density: float | None = None
    identification: Identification | None = field(default=None, repr=False)

    @property
    def origin(self) -> str:
        """``found`` in the data, ``given`` by the user, or ``none``."""
        return "given" if self.law else "found" if self.option else "none"

    def supplies(self, valid: NDArray[np.bool_]) -> dict[str, FloatArray]:
        """The density and the whole stress, where they were given, for quantities at n tensors, ``valid`` or not."""
        found = {} if self.density is None else {"density": np.full(len(valid), self.density)}
        if self.stress is not None:
            found["stress"] = np.where(valid[:, None, None], self.stress, np.nan)
        return found


def resolve(
    gradient: VelocityGradient,
    stress: str | ArrayLike | None,
    viscosity: str | float | Model | ArrayLike | None,
    density: float | None,
) -> Given:
    """What the options of ``separate`` say about the fluid. Raises OptionError as ``separate`` does."""
    if stress is not None and viscosity is not None:
        raise OptionError(
            "both a stress and a viscosity were given: choose --stress for a verdict from the stress field, "
            "or --viscosity; the stress of a polymer and of its solvent have to be added before"
        )
    if density is not None and not (np.isfinite(density) and density > 0):
        raise OptionError(f"the density is {density}: give a positive number, or none for kinematic values")
    factor = 1.0 if density is None else float(density)
    if stress is not None:
        return _stress(gradient, stress, factor)
    if viscosity is not None:
        return _viscosity(gradient, viscosity, factor)
    return Given()


def check_viscosity(text: str) -> None:
    """Raise OptionError for a viscosity that cannot be right whatever the file: a law that cannot be
    read, a number that is not positive, an eddy viscosity."""
    if text != IDENTIFY and model_of_text(text) is None:
        _refuse_eddy(text)


def eddy_viscosities(names: Iterable[str]) -> list[str]:
    """The names that mean a turbulent eddy viscosity."""
    return [name for name in names if _EDDY.fullmatch(_plain(name))]


def candidates(data: Mapping[str, np.ndarray]) -> list[str]:
    """Options that arrays of these names and shapes would suit, e.g. ``--viscosity=nu``."""
    options = []
    for name, values in data.items():
        components = int(np.prod(np.shape(values)[1:]))
        if components == 1 and _VISCOSITY.fullmatch(_plain(name)):
            options.append(f"--viscosity={name}")
        if components in (6, 9) and _STRESS.fullmatch(_plain(name)):
            options.append(f"--stress={name}")
    return options


def _plain(name: str) -> str:
    return re.sub(r"[\s_.-]", "", name.lower())


def _stress(gradient: VelocityGradient, stress: str | ArrayLike, factor: float) -> Given:
    """The stress, NaN throughout where one component is not finite."""
    if isinstance(stress, str):
        data = gradient.flow.data(gradient.location or "") if gradient.flow else {}
        opposite = stress.startswith("-") and stress not in data
        values, name = array_of(gradient, stress.removeprefix("-") if opposite else stress, "stress")
        text, tensors, factor = stress, as_tensors(values, name), -factor if opposite else factor
    else:
        text, tensors = "", sized(gradient, as_tensors(stress, "the stress"), "the stress")
    finite = np.isfinite(tensors).all(axis=(1, 2), keepdims=True)
    return Given("stress", text, np.where(finite, tensors, np.nan) * factor)


def _viscosity(gradient: VelocityGradient, viscosity: str | float | Model | ArrayLike, factor: float) -> Given:
    model = _model(viscosity)
    if model is not None:
        # At rest its value at the least rate that counts: a model that diverges leaves no spike that rounding makes.
        model, rate = model.scaled(factor), gradient["shear_rate"]
        largest = np.max(rate, where=np.isfinite(rate), initial=0.0)
        eta = model.viscosity(np.maximum(rate, NEGLIGIBLE_RATE * largest))
        return Given("viscosity", str(model), viscosity=eta, law=model)
    if not isinstance(viscosity, str):
        values = np.asarray(viscosity, float)
        return Given("viscosity", "", viscosity=scalars(gradient, values, "the viscosity") * factor)
    _refuse_eddy(viscosity)
    values, name = array_of(gradient, viscosity, "viscosity")
    return Given("viscosity", viscosity, viscosity=scalars(gradient, values, name) * factor)


def _model(viscosity: str | float | Model | ArrayLike) -> Model | None:
    """The model that was meant, a number being the Newtonian one; None for an array or its name."""
    if isinstance(viscosity, Model):
        return viscosity
    if isinstance(viscosity, str):
        return model_of_text(viscosity)
    return Newtonian(viscosity) if np.ndim(viscosity) == 0 else None  # type: ignore[arg-type]


def model_of_text(text: str) -> Model | None:
    """The model that a text such as ``0.1`` or ``carreau(…)`` means; None for what may be an array's name."""
    try:
        return Newtonian(float(text))
    except ValueError:
        pass
    is_model = text.split("(")[0].strip() in MODELS or ("(" in text and "=" in text)
    return parse_model(text) if is_model else None


def _refuse_eddy(name: str) -> None:
    if eddy_viscosities([name]):
        raise OptionError(
            f"{name} is a turbulent eddy viscosity, a property of the flow and not of the fluid, and says nothing "
            f"about whether the fluid is Newtonian: give the fluid's own viscosity, e.g. --viscosity=1e-5"
        )
