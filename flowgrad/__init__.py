"""flowgrad: from a velocity field to the deformation of the fluid, and to whether it is Newtonian.

flow = flowgrad.read("case.vtu")
gradient = flowgrad.velocity_gradient(flow)
separation = flowgrad.separate(gradient, viscosity="nu")
separation.verdict
"""

from __future__ import annotations

from typing import Any

import lazy_loader

# The public names are those of __init__.pyi; each is imported on its first use. Modules are no names for a ``*``.
_MODULES = ("autodiff", "exact", "formula", "paths", "plot", "plugins")
_of_stub, __dir__, _names = lazy_loader.attach_stub(__name__, __file__)
__all__ = [name for name in _names if name not in _MODULES]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("flowgrad")
    return _of_stub(name)
