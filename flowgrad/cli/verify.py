"""Command verify: how exact the schemes are."""

from __future__ import annotations

import argparse

from flowgrad.io.options import ReadOptions
from flowgrad.option import add_options, options_of

_EXAMPLES = """examples:
  flowgrad verify
  flowgrad verify case.vtu
"""


def add(verb: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    verb.epilog = _EXAMPLES
    verb.set_defaults(command=command)
    verb.add_argument("file", nargs="?", metavar="FILE", help="its mesh is taken, its velocity is not")
    add_options(verb, ReadOptions)


def command(args: argparse.Namespace) -> int:
    """Measure the schemes; the exit status."""
    from flowgrad.verify import verify

    flow = None
    if args.file:
        from flowgrad.io import read

        flow = read(args.file, **options_of(ReadOptions, args).given())
    status = 0
    for line, passed in verify(flow):
        print(line, flush=True)
        status = status if passed else 1
    return status
