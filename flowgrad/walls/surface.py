"""Surface of walls apart from their flow: faces, normals, areas and patches, as they are the same at all times."""

from __future__ import annotations

from dataclasses import dataclass

from flowgrad.mesh import Mesh
from flowgrad.reprs import ReprMixin
from flowgrad.series import difference
from flowgrad.typing import BoolArray, FloatArray, IntArray
from flowgrad.walls.result import Walls, on_patch, surface_mesh


@dataclass(frozen=True, eq=False)
class WallSurface(ReprMixin, line="mesh names"):
    """Faces of walls as the k cells of a ``mesh`` of their own, with their unit ``normals`` (k, 3) out of the fluid and
    ``areas`` (k,); face i belongs to the patch ``names[patches[i]]``. Stresses are ``dynamic`` where a density is
    known."""

    mesh: Mesh
    normals: FloatArray
    areas: FloatArray
    names: tuple[str, ...]
    patches: IntArray
    dynamic: bool = False

    @classmethod
    def of(cls, walls: Walls) -> WallSurface:
        """That of the walls of a flow."""
        mesh = surface_mesh(walls.flow.mesh, walls.faces)
        return cls(mesh, walls.normals, walls.areas, walls.names, walls.patches, walls.density is not None)

    def __len__(self) -> int:
        return len(self.areas)

    def on(self, patch: str | None) -> BoolArray:
        """Which faces (k,) belong to a patch, all to None; OptionError for a patch that is none of these."""
        return on_patch(patch, self.names, self.patches)

    def difference(self, other: WallSurface) -> str:
        """What distinguishes two surfaces; empty where they are the same."""
        if len(self) != len(other):
            return f"{len(other)} faces instead of {len(self)}"
        if self.dynamic != other.dynamic:
            return "a density is known of one alone"
        return "" if self.mesh is other.mesh else difference(self.mesh, other.mesh)
