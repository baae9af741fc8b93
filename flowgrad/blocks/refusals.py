"""What cannot be done a part at a time, by its name."""

from __future__ import annotations

from pathlib import Path

from flowgrad.errors import OptionError
from flowgrad.files import size_text
from flowgrad.kinematics import inputs_of
from flowgrad.kinematics.registry import OF_FIELD
from flowgrad.options import DEFAULT, Options

_OPTIONS = (
    *("boundary", "noise", "gradient_field", "error", "stress", "viscosity", "walls", "pressure", "density", "length"),
    "body_force",
)


def advice(size: int) -> str:
    """What to do instead, with the size of all arrays in bytes."""
    return f"leave it out, or give --block-memory {size_text(size)} to take the file as a whole"


def check_options(path: Path, options: Options, size: int) -> None:
    """OptionError for options and quantities that need the whole of a file whose arrays take ``size`` bytes."""
    refused = [f"--{name.replace('_', '-')}" for name in _OPTIONS if getattr(options, name) != getattr(DEFAULT, name)]
    if options.axisymmetric in ("x", "y"):
        refused.append("--axisymmetric")
    if options.out_of_plane != DEFAULT.out_of_plane:
        refused.append("--out-of-plane")
    refused += [f"--quantities {name}" for name in options.quantities if inputs_of(name) & OF_FIELD]
    if refused:
        raise OptionError(
            f"{path}: takes {size_text(size)} of arrays, more than --block-memory {options.block_memory}, and is done "
            f"in blocks, where {', '.join(refused)} cannot be known: {advice(size)}"
        )
