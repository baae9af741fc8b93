"""How a body in space is looked at: from where, what is up, and where the light comes from."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from flowgrad.errors import OptionError
from flowgrad.mesh import Mesh
from flowgrad.plot.plane import Plane, direction, signed_name
from flowgrad.typing import FloatArray

# Bodies flatter than this are seen from the front.
_FLAT = 0.02
# From a corner: along the shorter horizontal side, to the right, and above.
_ALONG, _ASIDE, _ABOVE = 1.0, 0.5, 0.55
# The light comes from the eye's left and above.
_LIGHT = np.array([-0.35, 0.45, 0.82])


@dataclass(frozen=True, eq=False)
class View:
    """The plane of the page, whose normal points to the eye, and the unit vector (3,) to the ``light``."""

    plane: Plane
    light: FloatArray


def view(mesh: Mesh, towards: str | ArrayLike = "auto") -> View:
    """A view of a mesh from a direction, as ``boundary`` takes it; OptionError for what is none."""
    eye = _eye(mesh, towards)
    up = np.array([0.0, 0, 1]) if abs(eye[2]) < 0.99 else np.array([0.0, 1, 0])
    right = np.cross(up, eye)
    right /= np.linalg.norm(right)
    axes = np.stack([right, np.cross(eye, right)]) + 0.0
    names = (signed_name(axes[0]), signed_name(axes[1]))
    where = f"the boundary seen from {direction(eye) if max(eye) > 0.999999 else _components(eye)}"
    plane = Plane(eye, 0.0, axes, names, where)
    return View(plane, _LIGHT @ np.vstack([axes, eye]) / np.linalg.norm(_LIGHT))


def _components(vector: FloatArray) -> str:
    name = signed_name(vector)
    return name or "(" + ", ".join(f"{part + 0.0:.2g}" for part in vector) + ")"


def _eye(mesh: Mesh, towards: str | ArrayLike) -> FloatArray:
    if isinstance(towards, str):
        if towards == "auto":
            return _from_corner(np.ptp(mesh.structure.used_points, axis=0))
        match = re.fullmatch(r"([+-]?)([xyz])", towards)
        if match is None:
            raise OptionError(f"view '{towards}' is unknown: give auto, x, -x, y, -y, z, -z or a vector")
        return np.eye(3)["xyz".index(match[2])] * (-1 if match[1] == "-" else 1)
    vector = np.asarray(towards, float)
    if vector.shape != (3,) or not np.isfinite(vector).all() or not vector.any():
        raise OptionError(f"view {towards!r} is no direction: give three finite numbers, not all zero")
    return np.asarray(vector / np.linalg.norm(vector))


def _from_corner(spans: FloatArray) -> FloatArray:
    """Flat bodies from the front, others with their longer horizontal side across the page."""
    if spans.min() <= _FLAT * spans.max():
        return np.eye(3)[spans.argmin()] * (1.0 if spans.argmin() == 2 else -1.0 if spans.argmin() == 1 else 1.0)
    eye = np.array([_ASIDE, -_ALONG, _ABOVE]) if spans[0] >= spans[1] else np.array([_ALONG, -_ASIDE, _ABOVE])
    return np.asarray(eye / np.linalg.norm(eye))
