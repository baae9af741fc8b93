"""Command run: files through the whole chain."""

from __future__ import annotations

import argparse
import json
import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from flowgrad.cli.options import Verbs, add_data_options, add_fluid_options, add_scheme_options, added, options_of
from flowgrad.errors import OptionError

if TYPE_CHECKING:
    from flowgrad.batch.settings import Cases, Settings
    from flowgrad.pipeline.options import Options

log = logging.getLogger("flowgrad")


_EXAMPLES = """
  flowgrad run results/*.vtu -o out
  flowgrad run case.vtu -o out --viscosity nu --boundary 'boundary/{stem}/*.vtp'
  flowgrad run case.vtu -o out --stress=-sigma
  flowgrad run case.vtu -o out --viscosity "carreau(eta0=0.056, eta_inf=0.00345, lam=3.313, n=0.3568)"
  flowgrad run case.vtu -o out --viscosity identify --density 1000
  flowgrad run piv.txt -o out --length-scale 0.001 --noise 0.02
  flowgrad run 'results/**/*.vtu' -o out --jobs auto --timeout 600
  flowgrad run --formula "u=-y; v=x" --grid -1:1:41,-1:1:41 -o out
"""


def add(verbs: Verbs) -> argparse.ArgumentParser:
    """The command with its options."""
    verb = added(verbs, "run", "analyse files: gradients, D and W, quantities, verdict, report", _EXAMPLES)
    verb.add_argument("files", nargs="*", metavar="FILE", help="mesh files, or patterns in quotes")
    verb.add_argument("-o", "--output", type=Path, metavar="DIR", help="folder of the results")
    verb.add_argument("--config", type=Path, metavar="TOML", help="options by these names; the command line beats it")
    verb.add_argument("--cases", type=Path, metavar="TOML", help="options that differ from file to file, see README")
    add_data_options(verb)
    given = verb.add_argument_group("a velocity given by a formula instead")
    given.add_argument(
        "--formula", metavar="u=…;v=…;w=…", help="in x, y, z, t, on --grid or on the points of the files"
    )
    given.add_argument("--grid", metavar="LOW:HIGH:COUNT,…", help="ranges of x, y and, in space, z: -1:1:41,-1:1:41")
    add_scheme_options(verb)
    fluid = add_fluid_options(verb)
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
    what.add_argument(
        "--block-memory",
        metavar="SIZE",
        default="1G",
        help="files with larger arrays are done a part at a time where they have parts: .vti, .vtr, NetCDF, .pvtu (1G)",
    )
    what.add_argument("--no-report", action="store_true", help="no report.html")
    _add_batch_options(verb)
    verb.set_defaults(verb=verb, command=command)
    return verb


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


def command(args: argparse.Namespace) -> int:
    """Do it; the exit status."""
    # Sums in another order would change last digits from machine to machine; before NumPy is loaded.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from flowgrad import batch

    if args.output is None:
        args.verb.error("the following arguments are required: -o/--output")
    options = _options(args)
    cases = batch.Cases.read(args.cases, options) if args.cases else batch.Cases(options)
    if bool(args.files) == bool(args.grid):
        raise OptionError("give files, or --formula and --grid" + (", not both" if args.grid else ""))
    files = [Path("formula")] if args.grid else batch.expand(args.files, args.output)
    settings = _settings(args)
    if args.dry_run:
        return _foresee(args, files, cases, settings)
    given = {**vars(args), "files": list(args.files)}
    defaults = add(argparse.ArgumentParser().add_subparsers())._actions
    configuration = batch.config_text(given, defaults)
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
    from flowgrad.batch.run import WOULD_FAIL, dry_run

    found = list(dry_run(files, args.output, cases, settings))
    for each in found:
        print(json.dumps({"event": "plan", **vars(each)}) if args.json else each)
    return 1 if any(each.state == WOULD_FAIL for each in found) else 0


def _options(args: argparse.Namespace) -> Options:
    names = tuple(name.strip() for name in (args.quantities or "").split(",") if name.strip())
    return options_of(args, quantities=names)
