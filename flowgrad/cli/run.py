"""The command run: files through the whole chain."""

from __future__ import annotations

import argparse
import json
import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from flowgrad.cli import run_options
from flowgrad.cli.verb import Verbs, options_of
from flowgrad.errors import OptionError

if TYPE_CHECKING:
    from flowgrad.batch import Cases, Settings
    from flowgrad.options import Options

log = logging.getLogger("flowgrad")


def add(verbs: Verbs) -> None:
    """The command with its options."""
    run_options.add(verbs).set_defaults(command=command)


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
    defaults = run_options.add(argparse.ArgumentParser().add_subparsers())._actions
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
    names = tuple(name.strip() for name in (args.quantities or "").split(",") if name.strip())
    return options_of(args, quantities=names)
