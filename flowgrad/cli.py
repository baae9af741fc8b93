"""The command line: arguments in, text out; no physics."""

from __future__ import annotations

import argparse
import dataclasses
import json
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flowgrad.errors import FlowgradError, OptionError

if TYPE_CHECKING:
    from flowgrad.batch import Cases, Settings
    from flowgrad.options import Options

log = logging.getLogger("flowgrad")

_EXAMPLES = """examples:
  flowgrad run results/*.vtu -o out
  flowgrad run case.vtu -o out --viscosity nu --boundary 'boundary/{stem}/*.vtp'
  flowgrad run case.vtu -o out --stress=-sigma
  flowgrad run case.vtu -o out --viscosity "carreau(eta0=0.056, eta_inf=0.00345, lam=3.313, n=0.3568)"
  flowgrad run --formula "u=-y; v=x" --grid -1:1:41,-1:1:41 -o out
  flowgrad curve rheometer.csv -o out
  flowgrad derive "x^2 + x*y + z" --at x=-1,y=2,z=3
  flowgrad info case.vtu
  flowgrad verify case.vtu
  flowgrad list quantities
"""

# Options whose values may begin with a minus sign, and the options of one letter.
_SIGNED = (
    *("--wall-velocity", "--pressure", "--body-force"),
    *("--at", "--along", "--range", "--formula", "--grid", "--time"),
)
_SHORT = ("-h", "-q", "-v", "-o")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; 0 all done, 1 some file failed, 2 wrong usage."""
    parser = _parser()
    words = _shielded(sys.argv[1:] if arguments is None else arguments)
    args = parser.parse_args(words)
    logging.basicConfig(stream=sys.stderr, level=_level(args), format="%(message)s", force=True)
    for library in ("matplotlib", "numba", "PIL", "fontTools"):
        logging.getLogger(library).setLevel(logging.WARNING)
    try:
        if getattr(args, "config", None):
            args = _configured(args, parser, words)
        return int(args.command(args))
    except OptionError as error:
        print(f"flowgrad: {error}", file=sys.stderr)
        return 2
    except FlowgradError as error:
        print(f"flowgrad: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt as stop:
        print("flowgrad: interrupted; what is finished is kept, the same command goes on", file=sys.stderr)
        return 130 if type(stop) is KeyboardInterrupt else 143
    except BrokenPipeError:
        return 1
    except Exception as error:
        log.debug("traceback", exc_info=True)
        print(f"flowgrad: unexpected {type(error).__name__} ({error}): please report it, with -v", file=sys.stderr)
        return 1


def _shielded(arguments: Sequence[str]) -> list[str]:
    """Arguments such as -y^2 and -1:1:41 with a space in front, so that they do not pass for options."""
    shielded, before = [], ""
    for each in arguments:
        is_value = before in _SIGNED or (arguments[0] == "derive" and not each.startswith(("-o", "--")))
        is_negative = each.startswith("-") and not each.startswith("--") and each not in _SHORT
        shielded.append(f" {each}" if is_value and is_negative else each)
        before = each
    return shielded


def _level(args: argparse.Namespace) -> int:
    return logging.DEBUG if args.verbose else logging.WARNING if args.quiet else logging.INFO


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "flowgrad",
        description="Velocity gradient, deformation and spin from flow files, and whether the fluid is Newtonian.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=_Version())
    verbs = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_run(verbs)
    _add_info(verbs)
    _add_curve(verbs)
    _add_derive(verbs)
    _add_verify(verbs)
    _add_list(verbs)
    return parser


class _Version(str):
    """The version's text, looked up only when it is printed."""

    def __mod__(self, _: object) -> str:
        import flowgrad

        return f"flowgrad {flowgrad.__version__}"


def _verb(verbs: argparse._SubParsersAction[argparse.ArgumentParser], name: str, text: str) -> argparse.ArgumentParser:
    verb = verbs.add_parser(
        name, help=text, description=text, epilog=_EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    noise = verb.add_mutually_exclusive_group()
    noise.add_argument("-q", "--quiet", action="store_true", help="say only what went wrong")
    noise.add_argument("-v", "--verbose", action="store_true", help="say everything, tracebacks included")
    return verb


def _add_data_options(verb: argparse.ArgumentParser) -> None:
    data = verb.add_argument_group("what the data are")
    data.add_argument("--velocity", metavar="NAME", help="velocity array, or three joined by commas (u,v,w)")
    data.add_argument("--location", choices=("points", "cells"), help="which of two arrays of that name is used")
    data.add_argument("--boundary", metavar="PATTERN", help="files of wall values: 'boundary/{stem}/*.vtp'")
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


def _add_run(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    verb = _verb(verbs, "run", "analyse files: gradients, D and W, quantities, verdict, report")
    verb.add_argument("files", nargs="*", metavar="FILE", help="mesh files, or patterns in quotes")
    verb.add_argument("-o", "--output", type=Path, metavar="DIR", help="folder of the results")
    verb.add_argument("--config", type=Path, metavar="TOML", help="options by these names; the command line beats it")
    verb.add_argument("--cases", type=Path, metavar="TOML", help="options that differ from file to file, see README")
    _add_data_options(verb)
    given = verb.add_argument_group("a velocity given by a formula instead")
    given.add_argument(
        "--formula", metavar="u=…;v=…;w=…", help="in x, y, z, t, on --grid or on the points of the files"
    )
    given.add_argument("--grid", metavar="LOW:HIGH:COUNT,…", help="ranges of x, y and, in space, z: -1:1:41,-1:1:41")
    how = verb.add_argument_group("how to differentiate")
    how.add_argument("--scheme", default="auto", help="auto, autodiff, finite-difference or file(name='…')")
    how.add_argument("--gradient-field", metavar="NAME", help="use this array of the file as the gradient")
    how.add_argument("--at", choices=("points", "cells"), help="where (default: where the velocity lives)")
    how.add_argument("--error", action="store_true", help="estimate the error of the gradient with a finer scheme")
    how.add_argument("--steady", action="store_true", help="the flow is steady: what changes in time is zero")
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
    fluid.add_argument(
        "--body-force", metavar="X,Y,Z", help="per mass: asks the momentum balance for a solvent's viscosity"
    )
    walls = verb.add_argument_group("walls: shear rate and, with a viscosity, stress, force and moment")
    walls.add_argument(
        "--walls",
        metavar="auto|PATCH,…|ARRAY=VALUE",
        help="patches of --boundary, or boundary faces that are cells with this value of a cell array; auto: where "
        "nothing flows through",
    )
    walls.add_argument("--wall-velocity", metavar="NUMBER|U,V,W", help="of walls that are not in --boundary: 0 at rest")
    walls.add_argument("--pressure", metavar="NAME|NUMBER", help="adds its part of the force")
    what = verb.add_argument_group("what to write")
    what.add_argument("--quantities", metavar="A,B,…", help="names of 'flowgrad list quantities' (default: the usual)")
    what.add_argument("--no-report", action="store_true", help="no report.html")
    _add_batch_options(verb)
    verb.set_defaults(command=_run, verb=verb)


def _add_batch_options(verb: argparse.ArgumentParser) -> None:
    many = verb.add_argument_group("many files: the same command goes on where it was stopped")
    many.add_argument("--jobs", metavar="N|auto", help="worker processes (default 1; auto: one a core)")
    many.add_argument("--threads", type=int, metavar="N", help="of each worker (default: the cores divided among them)")
    many.add_argument("--timeout", type=float, metavar="SECONDS", help="of one file")
    many.add_argument("--max-memory", metavar="SIZE", help="of a worker, with what it starts: 4G, 800M")
    many.add_argument("--shard", metavar="I/N", help="the I-th of N parts of the list; the last to end merges them")
    many.add_argument("--engine", choices=("local", "dask"), default="local", help="dask: a cluster (flowgrad[dask])")
    many.add_argument("--scheduler", metavar="ADDRESS", help="of Dask (default: a cluster on this machine)")
    many.add_argument("--json", action="store_true", help="a line of JSON for each file on the standard output")
    many.add_argument("--dry-run", action="store_true", help="say what would be done, and write nothing")


def _add_info(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    verb = _verb(verbs, "info", "what is in a file, and what would be used")
    verb.add_argument("files", nargs="+", metavar="FILE")
    _add_data_options(verb)
    verb.set_defaults(command=_info)


def _add_curve(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    from flowgrad.curve import arguments

    verb = _verb(verbs, "curve", "flow curves of a rheometer's table: verdict, laws with intervals, figures, report")
    arguments.add_to(verb)
    verb.set_defaults(command=_curve)


def _add_derive(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    verb = _verb(verbs, "derive", "differentiate formulas: gradient or Jacobian, as symbols and as numbers")
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
    verb.set_defaults(command=_derive)


def _add_verify(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    verb = _verb(verbs, "verify", "measure the accuracy of the schemes on this machine, or on the mesh of a file")
    verb.add_argument("file", nargs="?", metavar="FILE", help="its mesh is taken, its velocity is not")
    _add_data_options(verb)
    verb.set_defaults(command=_verify)


def _add_list(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    verb = _verb(
        verbs,
        "list",
        "what flowgrad knows: quantities, models, schemes, cells, formats, or functions with a derivative",
    )
    verb.add_argument("what", choices=("quantities", "models", "schemes", "cells", "formats", "functions"))
    verb.set_defaults(command=_list)


def _configured(args: argparse.Namespace, parser: argparse.ArgumentParser, words: Sequence[str]) -> argparse.Namespace:
    """The arguments with those of --config as defaults."""
    from flowgrad.batch import config

    args.verb.set_defaults(**config.read(args.config, args.verb._actions))
    return parser.parse_args(words)


def _run(args: argparse.Namespace) -> int:
    # Sums in another order would change last digits from machine to machine; before NumPy is loaded.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from flowgrad import batch

    if args.output is None:
        args.verb.error("the following arguments are required: -o/--output")
    cases = batch.Cases.read(args.cases, _options(args)) if args.cases else batch.Cases(_options(args))
    if bool(args.files) == bool(args.grid):
        raise OptionError("give files, or --formula and --grid" + (", not both" if args.grid else ""))
    files = [Path("formula")] if args.grid else batch.expand(args.files, args.output)
    settings = _settings(args)
    if args.dry_run:
        return _foresee(args, files, cases, settings)
    given = {**vars(args), "files": list(args.files)}
    defaults = _parser().parse_args(["run"]).verb._actions
    configuration = batch.config.text(given, defaults)
    records = batch.run(files, args.output, cases, settings, configuration=configuration, as_json=args.json)
    failed = [each for each in records if each.reason]
    if args.json:
        batch.say(event="end", files=len(records), done=len(records) - len(failed), failed=len(failed))
    shown = "summary.csv" if args.no_report else "report.html"
    log.info("%d of %d files done: %s", len(records) - len(failed), len(records), args.output / shown)
    return 1 if failed else 0


def _settings(args: argparse.Namespace) -> Settings:
    from flowgrad.batch import settings

    return settings.Settings(
        settings.jobs_of(args.jobs),
        args.threads,
        settings.Limits(args.timeout, settings.memory_of(args.max_memory)),
        settings.shard_of(args.shard),
        args.engine,
        args.scheduler,
        report=not args.no_report,
    )


def _foresee(args: argparse.Namespace, files: Sequence[Path], cases: Cases, settings: Settings) -> int:
    from flowgrad.batch.dry_run import FAILED, dry_run

    found = list(dry_run(files, args.output, cases, settings))
    for each in found:
        print(json.dumps({"event": "plan", **vars(each)}) if args.json else each)
    return 1 if any(each.state == FAILED for each in found) else 0


def _options(args: argparse.Namespace) -> Options:
    from flowgrad.options import Options

    given = {each.name: getattr(args, each.name) for each in dataclasses.fields(Options)}
    names = tuple(name.strip() for name in (args.quantities or "").split(",") if name.strip())
    return Options(**{**given, "quantities": names})


def _about(args: argparse.Namespace) -> dict[str, Any]:
    """What the data are, besides their names."""
    names = ("axisymmetric", "out_of_plane", "length_scale", "y_down", "time")
    return {name: getattr(args, name) for name in names}


def _info(args: argparse.Namespace) -> int:
    from flowgrad.batch import expand
    from flowgrad.info import describe

    status = 0
    for name in expand(args.files):
        try:
            about = _about(args)
            print("\n".join(describe(name, args.velocity, args.location, args.boundary, noise=args.noise, **about)))
        except FlowgradError as error:
            print(f"flowgrad: {error}", file=sys.stderr)
            status = 1
    return status


def _curve(args: argparse.Namespace) -> int:
    from flowgrad.curve.run import run

    return run(args)


def _derive(args: argparse.Namespace) -> int:
    from flowgrad.derive import Derivation, answer, draw

    if args.range and not args.output:
        raise OptionError("--range is of the figure: give -o, where to write it")
    asked = Derivation.of(args.formulas, args.at, args.along, args.variables, args.hessian)
    for line in answer(asked):
        print(line)
    if args.output:
        for file in draw(asked, args.output, args.range):
            log.info("%s", file)
    return 0


def _verify(args: argparse.Namespace) -> int:
    from flowgrad.verify import verify

    flow = None
    if args.file:
        from flowgrad.io import read

        about = _about(args)
        flow = read(args.file, args.velocity, args.location, args.boundary, noise=args.noise, **about)
    status = 0
    for line, passed in verify(flow):
        print(line, flush=True)
        status = status if passed else 1
    return status


def _list(args: argparse.Namespace) -> int:
    from flowgrad.info import listing

    print("\n".join(listing(args.what)))
    return 0
