"""Command-line options that commands share: how a command begins, what the data are, scheme and fluid."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from flowgrad.pipeline.options import Options

Verbs: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def added(verbs: Verbs, name: str, text: str, examples: str) -> argparse.ArgumentParser:
    """A command with its help; ``examples`` are lines for the shell."""
    verb = verbs.add_parser(
        name,
        help=text,
        description=text,
        epilog=f"examples:{examples}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    noise = verb.add_mutually_exclusive_group()
    noise.add_argument("-q", "--quiet", action="store_true", help="say only what went wrong")
    noise.add_argument("-v", "--verbose", action="store_true", help="say everything, tracebacks included")
    return verb


_BOUNDARY: dict[str, Any] = {"help": "files of wall values: 'boundary/{stem}/*.vtp'"}


def add_data_options(verb: argparse.ArgumentParser, boundary: Mapping[str, Any] = _BOUNDARY) -> None:
    """What the data are: names of ``read``; ``boundary`` is what the option of this name is in a command."""
    data = verb.add_argument_group("what the data are")
    data.add_argument("--velocity", metavar="NAME", help="velocity array, or three joined by commas (u,v,w)")
    data.add_argument("--location", choices=("points", "cells"), help="which of two arrays of that name is used")
    data.add_argument("--boundary", metavar="PATTERN", **boundary)
    data.add_argument("--noise", metavar="NUMBER|NAME", help="standard deviation of the velocity, or an array of it")
    data.add_argument(
        "--axisymmetric",
        choices=("x", "y", "none"),
        help="axis of a planar mesh (z constant) of an axisymmetric flow; none: a wedge is not one",
    )
    data.add_argument(
        "--out-of-plane",
        choices=("zero", "unknown", "incompressible"),
        default="zero",
        help="derivatives across a planar mesh: zero (2-D flow), unknown (a plane cut from a 3-D flow), "
        "or one of them by incompressibility",
    )
    data.add_argument("--time", type=float, metavar="NUMBER", help="of a file of several (default: the last)")
    data.add_argument("--length-scale", type=float, metavar="NUMBER", help="times the positions: 0.001 for mm")
    data.add_argument("--y-down", action="store_true", help="y runs down, as in images: turn it, velocity too")


def add_scheme_options(verb: argparse.ArgumentParser) -> None:
    """How to differentiate: the scheme, and where."""
    how = verb.add_argument_group("how to differentiate")
    how.add_argument("--scheme", default="auto", help="auto, or one of: flowgrad list schemes")
    how.add_argument("--gradient-field", metavar="NAME", help="use this array of the file as the gradient")
    how.add_argument("--at", choices=("points", "cells"), help="where (default: where the velocity lives)")
    how.add_argument("--error", action="store_true", help="estimate the error of the gradient with a finer scheme")
    how.add_argument("--steady", action="store_true", help="the flow is steady: what changes in time is zero")


def add_fluid_options(verb: argparse.ArgumentParser) -> argparse._ArgumentGroup:
    """What is known of the fluid: names of ``separate``; the group, for more of them."""
    fluid = verb.add_argument_group("what is known of the fluid")
    fluid.add_argument(
        "--stress", metavar="NAME", help="extra stress, 6 or 9 components; --stress=-NAME turns the sign"
    )
    fluid.add_argument(
        "--viscosity",
        metavar="NAME|NUMBER|LAW",
        help="array, constant, law such as carreau(…), or identify: to be found in the velocity alone",
    )
    fluid.add_argument("--density", type=float, help="turns kinematic stress or viscosity into dynamic")
    fluid.add_argument("--length", type=float, help="of the local Reynolds number (reynolds_number)")
    return fluid


def options_of(args: argparse.Namespace, **others: Any) -> Options:
    """The options of a run that a command has, and ``others``."""
    from flowgrad.pipeline.options import Options

    names = [each.name for each in dataclasses.fields(Options)]
    return Options(**{**{name: getattr(args, name) for name in names if hasattr(args, name)}, **others})


def about(args: argparse.Namespace) -> dict[str, Any]:
    """What the data are, besides their names."""
    names = ("axisymmetric", "out_of_plane", "length_scale", "y_down", "time")
    return {name: getattr(args, name) for name in names}
