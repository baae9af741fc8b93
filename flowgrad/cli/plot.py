"""The command plot: one figure of files."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from flowgrad.cli.verb import Verbs, add_data_options, add_fluid_options, add_scheme_options, added, options_of

log = logging.getLogger("flowgrad")

_EXAMPLES = """
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


def add(verbs: Verbs) -> None:
    """The command with its options."""
    verb = added(verbs, "plot", "draw one figure: a field, a slice, a profile, a curve", _EXAMPLES)
    verb.add_argument("files", nargs="+", metavar="FILE", help="mesh files; several with --line only")
    verb.add_argument("-o", "--output", type=Path, required=True, metavar="FILE", help="the figure: png, svg or pdf")
    _add_what(verb)
    add_data_options(verb, _BOUNDARY)
    add_scheme_options(verb)
    add_fluid_options(verb)
    verb.set_defaults(command=command)


def _add_what(verb: argparse.ArgumentParser) -> None:
    what = verb.add_argument_group("what is drawn, and where")
    what.add_argument(
        "--quantity",
        metavar="NAME",
        help="of `flowgrad list quantities`, velocity, viscosity, error, std(NAME), or an array of the file, "
        "array:NAME where a quantity has its name (default: shear_rate)",
    )
    what.add_argument("--kind", default="field", help="of figure, see below (default: field)")
    what.add_argument("--slice", metavar="z=0.5", help="plane through a solid mesh, or NX,NY,NZ@X,Y,Z: normal@point")
    what.add_argument("--line", metavar="X,Y,Z:X,Y,Z", help="profile from one point to another, of several files too")
    what.add_argument("--view", metavar="DIRECTION", help="the boundary of a solid mesh, seen from x, -x, …, or X,Y,Z")
    what.add_argument("--vectors", action="store_true", help="arrows of the velocity over it")
    what.add_argument("--streamlines", action="store_true", help="streamlines over it")
    what.add_argument("--limits", metavar="LOW:HIGH", help="of the colours (default: all but outliers)")
    what.add_argument("--width", metavar="one|two", help="columns of print: 3.4 or 7 inches")


def command(args: argparse.Namespace) -> int:
    """Do it; the exit status."""
    from flowgrad.batch import expand
    from flowgrad.draw import Request, draw

    on_boundary = args.boundary == "" and args.view is None
    request = Request(
        args.quantity,
        args.kind,
        args.slice,
        args.line,
        "auto" if on_boundary else args.view,
        args.vectors,
        args.streamlines,
        args.limits,
        args.width,
    )
    options = options_of(args, boundary=args.boundary or None)
    log.info("%s", draw(expand(args.files), args.output, request, options))
    return 0
