"""Planes of a picture, in which a mesh is cut or seen: position, in-plane axes, view direction and light."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from flowgrad.errors import OptionError
from flowgrad.mesh import Mesh
from flowgrad.mesh.planar import FLAT, candidate_normals
from flowgrad.typing import FloatArray

_NAMES = "xyz"
# A direction within this angle of a coordinate axis is that axis.
_ALIGNED = 1e-6
# A normal with a larger third component is seen as if from above.
_STEEP = 0.9
# The cut is moved off the middle by up to this share of the extent, to where points are fewest.
_MIDDLE = 0.05


@dataclass(frozen=True, eq=False)
class Plane:
    """The plane ``normal``·x = ``level`` with two unit ``axes`` (2, 3) in it, their ``names``, and
    ``where`` it is in words."""

    normal: FloatArray
    level: float
    axes: FloatArray
    names: tuple[str, str]
    where: str

    @property
    def eye(self) -> FloatArray:
        """The unit vector (3,) to the eye for which the axes point to the right and up: the normal or its opposite."""
        return np.cross(*self.axes)


def plane(normal: ArrayLike, level: float, where: str = "") -> Plane:
    """The plane normal·x = level, turned so that the normal's largest component is positive.

    x, y and z name the in-plane axes that lie along them, s and t name others.
    """
    given = np.asarray(normal, float)
    length = float(np.linalg.norm(given) * np.sign(given[np.argmax(np.abs(given))]))
    unit, level = given / length, level / length
    axes = _axes(unit)
    names = (axis_name(axes[0]) or "s", axis_name(axes[1]) or "t")
    turned = [f"{name} along {direction(axis)}" for name, axis in zip(names, axes, strict=True) if not axis_name(axis)]
    return Plane(unit, level, axes, names, ", ".join([where or equation(unit, level), *turned]))


def _axes(normal: FloatArray) -> FloatArray:
    """In-plane unit axes (2, 3): the coordinate axes where the plane has them, in alphabetic order; else the second
    is z seen along the normal (y where that is nearly z), the first the way that leads up along its main axis."""
    name = axis_name(normal)
    if name:
        return np.delete(np.eye(3), _NAMES.index(name), axis=0)
    up = np.eye(3)[2 if abs(normal[2]) < _STEEP else 1]
    up = up - (up @ normal) * normal
    up /= np.linalg.norm(up)
    across = np.cross(up, normal)
    return np.stack([across * np.sign(across[np.argmax(np.abs(across))]), up])


def axis_name(axis: FloatArray) -> str:
    """The letter of the coordinate axis that a unit vector lies along, else empty."""
    return next((name for name, part in zip(_NAMES, axis, strict=True) if part > 1 - _ALIGNED**2), "")


def signed_name(axis: FloatArray) -> str:
    """x or −x for the coordinate axes and what is opposite to them, else empty."""
    return axis_name(axis) or (f"−{name}" if (name := axis_name(-axis)) else "")


def direction(axis: FloatArray) -> str:
    """A unit vector as x, y, z or its components."""
    return axis_name(axis) or "(" + ", ".join(f"{part + 0.0:.3g}" for part in np.round(axis, 12)) + ")"


def equation(normal: FloatArray, level: float) -> str:
    """``z = 0.25``, or for an oblique plane its normal and its distance from the origin."""
    name = axis_name(normal)
    return f"{name} = {level:.4g}" if name else f"normal {direction(normal)}, {level:.4g} from the origin"


def plane_of_surface(mesh: Mesh) -> Plane:
    """The plane of a planar mesh; a curved surface is seen along the shortest side of its box."""
    points, normal = mesh.structure.used_points, mesh.structure.normal
    if normal is not None:
        level = float((points @ normal).mean())
        return plane(normal, level, f"the cells of the mesh in the plane {equation(normal, level)}")
    normal = _shortest(points)
    eye = plane(normal, 0.0).eye
    return plane(normal, 0.0, f"the curved surface seen from {signed_name(eye)}")


def middle_plane(mesh: Mesh) -> Plane:
    """The mid-plane of a wedge or of a mesh one cell thick; else a plane through its middle, normal to the shortest
    side of its bounding box and clear of the mesh's points."""
    wedge = mesh.structure.wedge
    if wedge is not None:
        middle = wedge.frame[2]
        return plane(
            middle, float(middle @ wedge.origin), f"the mid-plane of the mesh, a wedge of {wedge.degrees:.3g}°"
        )
    points = mesh.structure.used_points
    for normal in candidate_normals(points - points.mean(axis=0)):
        heights = points @ normal
        low, high = heights.min(), heights.max()
        if (np.minimum(heights - low, high - heights) <= FLAT * np.ptp(points, axis=0).max()).all() and high > low:
            where = f"the mid-plane of the mesh, which is one cell thick along {direction(normal)}"
            return plane(normal, float(low + high) / 2, where)
    normal = _shortest(points)
    level = _clear_level(points @ normal)
    return plane(normal, level, f"a cut through the middle of the mesh at {equation(normal, level)}")


def _shortest(points: FloatArray) -> FloatArray:
    """The axis of the shortest side of the bounding box; of equal ones the last."""
    spans = np.ptp(points, axis=0)
    return np.asarray(np.eye(3)[np.flatnonzero(spans <= spans.min() * (1 + FLAT))[-1]])


def _clear_level(heights: FloatArray) -> float:
    """The middle of the widest gap between points near the middle of their extent."""
    levels = np.unique(heights)
    if len(levels) < 2:
        return float(levels[0])
    low, high = levels[0], levels[-1]
    middle, reach = (low + high) / 2, _MIDDLE * (high - low)
    first = np.searchsorted(levels, middle - reach, side="right") - 1
    last = np.searchsorted(levels, middle + reach, side="left")
    near = levels[max(first, 0) : last + 1]
    gaps, centers = np.diff(near), (near[1:] + near[:-1]) / 2
    widest = gaps >= gaps.max() * (1 - 1e-6)
    return float(centers[widest][np.argmin(np.abs(centers[widest] - middle))])


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
    """A view of a mesh from a direction, as ``boundary`` takes it; OptionError for an unknown one."""
    eye = _eye(mesh, towards)
    up = np.array([0.0, 0, 1]) if abs(eye[2]) < 0.99 else np.array([0.0, 1, 0])
    right = np.cross(up, eye)
    right /= np.linalg.norm(right)
    axes = np.stack([right, np.cross(eye, right)]) + 0.0
    names = (signed_name(axes[0]), signed_name(axes[1]))
    where = signed_name(eye) or "(" + ", ".join(f"{part + 0.0:.2g}" for part in eye) + ")"
    plane = Plane(eye, 0.0, axes, names, f"the boundary seen from {where}")
    return View(plane, _LIGHT @ np.vstack([axes, eye]) / np.linalg.norm(_LIGHT))


def _eye(mesh: Mesh, towards: str | ArrayLike) -> FloatArray:
    if isinstance(towards, str):
        if towards == "auto":
            spans = np.ptp(mesh.structure.used_points, axis=0)
            if spans.min() <= _FLAT * spans.max():
                return np.eye(3)[spans.argmin()] * (-1.0 if spans.argmin() == 1 else 1.0)
            # The longer horizontal side goes across the page.
            corner = np.array([_ASIDE, -_ALONG, _ABOVE] if spans[0] >= spans[1] else [_ALONG, -_ASIDE, _ABOVE])
            return np.asarray(corner / np.linalg.norm(corner))
        match = re.fullmatch(r"([+-]?)([xyz])", towards)
        if match is None:
            raise OptionError(f"view '{towards}' is unknown: give auto, x, -x, y, -y, z, -z or a vector")
        return np.eye(3)["xyz".index(match[2])] * (-1 if match[1] == "-" else 1)
    vector = np.asarray(towards, float)
    if vector.shape != (3,) or not np.isfinite(vector).all() or not vector.any():
        raise OptionError(f"view {towards!r} is not a direction: give three finite numbers, not all zero")
    return np.asarray(vector / np.linalg.norm(vector))
