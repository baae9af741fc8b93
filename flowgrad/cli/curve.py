"""The command curve: flow curves of rheometers."""

from __future__ import annotations

import argparse

_EXAMPLES = """examples:
  flowgrad curve rheometer.csv -o out
"""


def add(verb: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    from flowgrad.curve import arguments

    verb.epilog = _EXAMPLES
    verb.set_defaults(command=command)
    arguments.add_to(verb)


def command(args: argparse.Namespace) -> int:
    """Do it; the exit status."""
    from flowgrad.curve.run import run

    return run(args)
