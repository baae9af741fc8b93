"""What the commands have in common: how they begin, and the options of what the data are."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any, TypeAlias

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


def about(args: argparse.Namespace) -> dict[str, Any]:
    """What the data are, besides their names."""
    names = ("axisymmetric", "out_of_plane", "length_scale", "y_down", "time")
    return {name: getattr(args, name) for name in names}
