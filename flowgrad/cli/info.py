"""The command info: what is in files."""

from __future__ import annotations

import argparse
import sys

from flowgrad.cli.verb import Verbs, about, add_data_options, added
from flowgrad.errors import FlowgradError

_EXAMPLES = """
  flowgrad info case.vtu
  flowgrad info case.vtu --velocity u,v,w
"""


def add(verbs: Verbs) -> None:
    """The command with its options."""
    verb = added(verbs, "info", "what is in a file, and what would be used", _EXAMPLES)
    verb.add_argument("files", nargs="+", metavar="FILE")
    add_data_options(verb)
    verb.set_defaults(command=command)


def command(args: argparse.Namespace) -> int:
    """Do it; the exit status."""
    from flowgrad.batch import expand
    from flowgrad.info import describe

    status = 0
    for name in expand(args.files):
        try:
            data = about(args)
            print("\n".join(describe(name, args.velocity, args.location, args.boundary, noise=args.noise, **data)))
        except FlowgradError as error:
            print(f"flowgrad: {error}", file=sys.stderr)
            status = 1
    return status
