"""The command verify: how exact the schemes are."""

from __future__ import annotations

import argparse

from flowgrad.cli.options import Verbs, about, add_data_options, added

_EXAMPLES = """
  flowgrad verify
  flowgrad verify case.vtu
"""


def add(verbs: Verbs) -> None:
    """The command with its options."""
    verb = added(
        verbs, "verify", "measure the accuracy of the schemes on this machine, or on the mesh of a file", _EXAMPLES
    )
    verb.add_argument("file", nargs="?", metavar="FILE", help="its mesh is taken, its velocity is not")
    add_data_options(verb)
    verb.set_defaults(command=command)


def command(args: argparse.Namespace) -> int:
    """Do it; the exit status."""
    from flowgrad.verify import verify

    flow = None
    if args.file:
        from flowgrad.io import read

        data = about(args)
        flow = read(args.file, args.velocity, args.location, args.boundary, noise=args.noise, **data)
    status = 0
    for line, passed in verify(flow):
        print(line, flush=True)
        status = status if passed else 1
    return status
