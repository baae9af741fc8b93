"""Command run: files through the whole chain."""

from __future__ import annotations

import argparse
import json
import logging
import os
from pathlib import Path

from flowgrad.batch.settings import Cases, Settings, config_text
from flowgrad.errors import OptionError
from flowgrad.option import add_options, options_of
from flowgrad.pipeline.options import RECORDS, Options

log = logging.getLogger("flowgrad")

_EXAMPLES = """examples:
  flowgrad run results/*.vtu -o out
  flowgrad run case.vtu -o out --viscosity nu --boundary 'boundary/{stem}/*.vtp'
  flowgrad run case.vtu -o out --stress=-sigma
  flowgrad run case.vtu -o out --viscosity "carreau(eta0=0.056, eta_inf=0.00345, lam=3.313, n=0.3568)"
  flowgrad run case.vtu -o out --viscosity identify --density 1000
  flowgrad run piv.txt -o out --length-scale 0.001 --noise 0.02
  flowgrad run 'results/**/*.vtu' -o out --jobs auto --timeout 600
  flowgrad run --formula "u=-y; v=x" --grid -1:1:41,-1:1:41 -o out
"""


def add(verb: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    verb.epilog = _EXAMPLES
    verb.set_defaults(command=command)
    verb.add_argument("files", nargs="*", metavar="FILE", help="mesh files, or patterns in quotes")
    verb.add_argument("-o", "--output", type=Path, metavar="DIR", help="folder of the results")
    verb.add_argument(
        "--config", type=Path, metavar="TOML", help="file of options by these names; the command line takes precedence"
    )
    verb.add_argument(
        "--cases", type=Path, metavar="TOML", help="file of options that differ from flow to flow, see README"
    )
    add_options(verb, *RECORDS, Settings)
    verb.add_argument("--json", action="store_true", help="a line of JSON for each file on the standard output")
    verb.add_argument("--explain", action="store_true", help="print the path that led to each verdict")
    verb.add_argument("--dry-run", action="store_true", help="say what would be done, and write nothing")


def command(args: argparse.Namespace) -> int:
    """Analyse the files; the exit status."""
    # Sums in another order would change last digits from machine to machine; before NumPy is loaded.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from flowgrad.batch.files import expand
    from flowgrad.batch.progress import say
    from flowgrad.batch.run import WOULD_FAIL, dry_run, run

    if args.output is None:
        args.verb.error("the following arguments are required: -o/--output")
    options = options_of(Options, args)
    cases = Cases.read(args.cases, options) if args.cases else Cases(options)
    if bool(args.files) == bool(args.grid):
        raise OptionError("give files, or --formula and --grid" + (", not both" if args.grid else ""))
    files = [Path("formula")] if args.grid else expand(args.files, args.output)
    settings = options_of(Settings, args)
    if args.dry_run:
        planned = list(dry_run(files, args.output, cases, settings))
        for each in planned:
            print(json.dumps({"event": "plan", **vars(each)}) if args.json else each)
        return 1 if any(each.state == WOULD_FAIL for each in planned) else 0
    fresh = argparse.ArgumentParser()
    add(fresh)
    configuration = config_text({**vars(args), "files": list(args.files)}, fresh._actions)
    records = run(files, args.output, cases, settings, configuration=configuration, as_json=args.json)
    failed = [each for each in records if each.reason]
    if args.explain and not args.json:
        for record in records:
            if not record.reason:
                _explain(args.output / f"{record.name}.json")
    if args.json:
        say(event="end", files=len(records), done=len(records) - len(failed), failed=len(failed))
    shown = "summary.csv" if settings.no_report else "report.html"
    log.info("%d of %d files done: %s", len(records) - len(failed), len(records), args.output / shown)
    return 1 if failed else 0


def _explain(path: Path) -> None:
    """Print the questions and answers that led to the verdict of a NAME.json."""
    summary = json.loads(path.read_text(encoding="utf-8"))
    print(f"{summary['file']}: Newtonian: {summary['newtonian']}; {summary['verdict']}")
    for number, step in enumerate(summary["path"], 1):
        print(f"  {number}. {step}")
    print(f"  {summary['statement']}")
