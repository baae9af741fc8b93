"""The velocity of a lattice in a file, between two planes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from flowgrad.blocks.blanking import has_marks, hidden
from flowgrad.errors import OptionError, ReadError
from flowgrad.io import choose_velocity
from flowgrad.io.point_samples import FLAGS, flagged, plain
from flowgrad.io.reading import check_units
from flowgrad.io.slabs import SlabFile, plane_size
from flowgrad.mesh import Lattice
from flowgrad.mesh.transform import scaled
from flowgrad.options import Options
from flowgrad.tensors import finite_rows
from flowgrad.typing import FloatArray


@dataclass(frozen=True, eq=False)
class SlabVelocity:
    """Which arrays of a file are the velocity, and where: ``name`` as it was chosen, ``parts`` one vector array or the
    scalars it is made of; ``lattice`` in the unit of length that is wanted, its y axis upward."""

    file: SlabFile
    name: str
    location: str
    parts: Sequence[str]
    lattice: Lattice
    y_down: bool = False

    @classmethod
    def of(cls, file: SlabFile, options: Options) -> SlabVelocity:
        """The velocity of a file by its names; two that could both be it are an OptionError, equal or not."""
        sample = file.sample()
        name, where, _ = choose_velocity(sample, options.velocity, options.location)
        if options.length_scale is None:
            check_units(sample, name)
        known = file.declared[where]
        parts = [name] if name in known else [each.strip() for each in name.split(",")]
        scale = options.length_scale or 1.0
        lattice = scaled(file.lattice, (scale, -scale if options.y_down else scale, scale))
        assert isinstance(lattice, Lattice)
        return cls(file, name, where, parts, lattice, options.y_down)

    @property
    def dtype(self) -> np.dtype:
        """Float32 where the velocity is in the file."""
        types = [self.file.declared[self.location][each].dtype for each in self.parts]
        return np.result_type(*types).newbyteorder("=")

    def planes(self, low: int, high: int) -> FloatArray:
        """Velocities (n, 3) between two planes, NaN where the file says that they are none."""
        flags = self._flags
        read = self.file.planes(self.location, [*self.parts, *flags], low, high)
        parts, marks = read[: len(self.parts)], zip(flags, read[len(self.parts) :], strict=True)
        count = (high - low) * plane_size(self.file.lattice, self.location)
        if any(len(part) != count for part in parts):
            raise ReadError(f"{self.file.path}: '{self.name}' ends before plane {high}: write the file again")
        velocity = np.zeros((count, 3))
        for column, values in enumerate(parts):
            velocity[:, column if len(parts) > 1 else slice(0, values.shape[1])] = values
        if self.y_down:
            velocity[:, 1] *= -1.0
        missing = [marked for name, values in marks if (marked := flagged(name, values)) is not None]
        if has_marks(self.file):
            missing.append(hidden(self.file, self.location, low, high))
        for each in missing:
            velocity[each] = np.nan
        return velocity

    @property
    def _flags(self) -> list[str]:
        is_flagged = self.file.has_flags and self.location == "points"
        return [name for name in self.file.declared["points"] if plain(name) in FLAGS] if is_flagged else []


class Window:
    """Planes of a velocity, of which those that the next window needs again are kept."""

    def __init__(self, velocity: SlabVelocity) -> None:
        self._velocity = velocity
        self._low = self._high = 0
        self._values: FloatArray = np.empty((0, 3))

    def between(self, low: int, high: int) -> FloatArray:
        """Velocities (n, 3) between two planes; windows must not go back."""
        size = plane_size(self._velocity.lattice, self._velocity.location)
        kept = self._values[(low - self._low) * size :] if self._low <= low < self._high else np.empty((0, 3))
        begin = max(low, self._high) if len(kept) else low
        values = np.empty(((high - low) * size, 3))
        values[: len(kept)] = kept
        self._values = kept = np.empty((0, 3))
        if begin < high:
            values[(begin - low) * size :] = self._velocity.planes(begin, high)
        self._low, self._high, self._values = low, high, values
        return values

    @staticmethod
    def missing(values: FloatArray) -> int:
        """How many of some velocities are not finite."""
        return int((~finite_rows(values)).sum())


def check_location(velocity: SlabVelocity, options: Options, advice: str) -> None:
    """OptionError where the gradient is wanted elsewhere than where the velocity is."""
    if options.at not in (None, velocity.location):
        raise OptionError(
            f"{velocity.file.path}: --at {options.at} is not known in blocks, where gradients are taken where the "
            f"velocity is, at the {velocity.location}: {advice}"
        )
