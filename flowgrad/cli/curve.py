"""The command curve: flow curves of rheometers."""

from __future__ import annotations

import argparse

from flowgrad.cli.options import Verbs, added

_EXAMPLES = """
  flowgrad curve rheometer.csv -o out
"""


def add(verbs: Verbs) -> None:
    """The command with its options."""
    from flowgrad.curve import arguments

    verb = added(
        verbs, "curve", "flow curves of a rheometer's table: verdict, laws with intervals, figures, report", _EXAMPLES
    )
    arguments.add_to(verb)
    verb.set_defaults(command=command)


def command(args: argparse.Namespace) -> int:
    """Do it; the exit status."""
    from flowgrad.curve.run import run

    return run(args)
