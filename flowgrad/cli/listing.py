"""The command list: what there is."""

from __future__ import annotations

import argparse

from flowgrad.cli.verb import Verbs, added

_EXAMPLES = """
  flowgrad list quantities
  flowgrad list formats
"""


def add(verbs: Verbs) -> None:
    """The command with its options."""
    what = "what flowgrad knows: quantities, models, schemes, cells, formats, or functions with a derivative"
    verb = added(verbs, "list", what, _EXAMPLES)
    verb.add_argument("what", choices=("quantities", "models", "schemes", "cells", "formats", "functions"))
    verb.set_defaults(command=command)


def command(args: argparse.Namespace) -> int:
    """Do it; the exit status."""
    from flowgrad.info import listing

    print("\n".join(listing(args.what)))
    return 0
