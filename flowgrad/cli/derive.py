"""Command derive: derivatives of formulas."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from flowgrad.errors import OptionError

log = logging.getLogger("flowgrad")

_EXAMPLES = """examples:
  flowgrad derive "x^2 + x*y + z" --at x=-1,y=2,z=3
  flowgrad derive "sin(x)*y" --hessian -o figure.png
"""


def add(verb: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    verb.epilog = _EXAMPLES
    verb.set_defaults(command=command)
    verb.add_argument("formulas", nargs="+", metavar="FORMULA", help="in x, y, z, t; several apart or with ';' between")
    verb.add_argument("--at", metavar="x=…,y=…", help="the point of the numbers")
    verb.add_argument(
        "--variables", metavar="A,B,…", help="what to differentiate by (default: what occurs of x, y, z, t)"
    )
    verb.add_argument("--along", metavar="A,B,…", help="direction of the directional derivative, of any length")
    verb.add_argument("--hessian", action="store_true", help="second derivatives as well")
    verb.add_argument(
        "-o", "--output", type=Path, metavar="FILE|DIR", help="figure of contours and gradient (png, svg, pdf)"
    )
    verb.add_argument("--range", metavar="LOW:HIGH,LOW:HIGH", help="what the figure shows of the first two variables")


def command(args: argparse.Namespace) -> int:
    """Do it; the exit status."""
    from flowgrad.cli.derivation import Derivation, answer, draw

    if args.range and not args.output:
        raise OptionError("--range is what the figure shows: give -o, where to write it")
    asked = Derivation.of(args.formulas, args.at, args.along, args.variables, args.hessian)
    for line in answer(asked):
        print(line)
    if args.output:
        for file in draw(asked, args.output, args.range):
            log.info("%s", file)
    return 0
