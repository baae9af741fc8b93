"""Command plot: one figure of files."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from flowgrad.cli.request import Request
from flowgrad.io.options import ReadOptions
from flowgrad.option import add_options, options_of
from flowgrad.pipeline.options import FluidOptions, GradientOptions, Options

log = logging.getLogger("flowgrad")

_EXAMPLES = """examples:
  flowgrad plot case.vtu --quantity lambda2 -o figure.pdf
  flowgrad plot case.vtu --quantity vorticity --slice z=0.5 --streamlines -o slice.png
  flowgrad plot case.vtu --quantity shear_rate --slice 1,1,0@0,0,0.5 -o oblique.svg
  flowgrad plot case.vtu --quantity p --boundary --view x -o walls.png
  flowgrad plot coarse.vtu fine.vtu --quantity shear_rate --line 0,0,0:1,0,0 -o profile.pdf
  flowgrad plot case.vtu --quantity array:vorticity -o solver.png     # the file's, not the one computed here
  flowgrad plot case.vtu --kind flow-types -o types.png
  flowgrad plot piv.csv --kind uncertainty --quantity vorticity --noise 0.02 -o sure.png
  flowgrad plot case.vtu --kind viscosity --viscosity nu -o eta.pdf

kinds: field (of the quantity, the default), contours (with arrows of its gradient), uncertainty, distribution;
  ellipses (of D), flow-types, invariants (Q and R); with a --stress or --viscosity: labels, regions, flow-curve,
  viscosity
"""

# The same word as for the files of wall values: without a pattern it is the boundary that is drawn.
_BOUNDARY = {
    "nargs": "?",
    "const": "",
    "help": "draw the boundary of a solid mesh; with a PATTERN it names files of wall values, as in run",
}


def add(verb: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    verb.epilog = _EXAMPLES
    verb.set_defaults(command=command)
    verb.add_argument("files", nargs="+", metavar="FILE", help="mesh files; several with --line only")
    verb.add_argument("-o", "--output", type=Path, required=True, metavar="FILE", help="the figure: png, svg or pdf")
    add_options(verb, Request, ReadOptions, changed={"boundary": _BOUNDARY})
    add_options(verb, GradientOptions, FluidOptions, without=("body_force",))


def command(args: argparse.Namespace) -> int:
    """Draw the figure; the exit status."""
    from flowgrad.batch.files import expand
    from flowgrad.cli.figure import draw

    is_on_boundary = args.boundary == "" and args.view is None
    request = options_of(Request, args, view="auto" if is_on_boundary else args.view)
    options = options_of(Options, args, boundary=args.boundary or None)
    log.info("%s", draw(expand(args.files), args.output, request, options))
    return 0
