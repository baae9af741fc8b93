"""The command that gives one file's results again."""

from __future__ import annotations

import shlex
from pathlib import Path

from flowgrad.files import printable
from flowgrad.options import Options


def command(options: Options, source: Path | None) -> str:
    """``flowgrad run FILE --option=value … -o out``, quoted for a shell; without a file for arrays in memory."""
    file = [] if source is None or options.grid else [printable(source)]
    given = [_written(key, value) for key, value in options.given().items()]
    return shlex.join(["flowgrad", "run", *file, *given, "-o", "out"])


def _written(name: str, value: object) -> str:
    flag = f"--{name.replace('_', '-')}"
    if value is True:
        return flag
    return f"{flag}={','.join(map(str, value)) if isinstance(value, tuple) else value}"
