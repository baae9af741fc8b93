"""The command that gives results again, and options as it has them."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path

from flowgrad.files import printable
from flowgrad.pipeline.options import Options


def command(options: Options, source: Path | None) -> str:
    """``flowgrad run FILE --option=value … -o out``, quoted for a shell; without a file for arrays in memory."""
    file = "" if source is None or options.grid else shlex.quote(printable(source))
    return " ".join(part for part in ("flowgrad run", file, written(options.given()), "-o out") if part)


def written(given: Mapping[str, object]) -> str:
    """Options as they stand on the command line, quoted for a shell."""
    return shlex.join(_written(key, value) for key, value in given.items())


def _written(name: str, value: object) -> str:
    flag = f"--{name.replace('_', '-')}"
    if value is True:
        return flag
    return f"{flag}={','.join(map(str, value)) if isinstance(value, list | tuple) else value}"
