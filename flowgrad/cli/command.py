"""The parser of all commands, and what their errors are for the shell."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence

from flowgrad.cli import curve, derive, info, plot, run, verify
from flowgrad.errors import FlowgradError, OptionError
from flowgrad.spec import nearest

log = logging.getLogger("flowgrad")

_EXAMPLES = """examples:
  flowgrad run results/*.vtu -o out
  flowgrad run case.vtu -o out --viscosity nu --boundary 'boundary/{stem}/*.vtp'
  flowgrad run case.vtu -o out --stress=-sigma
  flowgrad run case.vtu -o out --viscosity "carreau(eta0=0.056, eta_inf=0.00345, lam=3.313, n=0.3568)"
  flowgrad run --formula "u=-y; v=x" --grid -1:1:41,-1:1:41 -o out
  flowgrad plot case.vtu --quantity lambda2 --slice z=0.5 -o figure.pdf
  flowgrad curve rheometer.csv -o out
  flowgrad derive "x^2 + x*y + z" --at x=-1,y=2,z=3
  flowgrad info case.vtu
  flowgrad verify case.vtu
  flowgrad list quantities
"""

# In the order of the help.
_VERBS = (run.add, info.add, plot.add, curve.add, derive.add, verify.add, info.add_list)

# Options whose values may begin with a minus sign, and the options of one letter.
_SIGNED = (
    *("--wall-velocity", "--pressure", "--body-force"),
    *("--at", "--along", "--range", "--formula", "--grid", "--time"),
    *("--line", "--limits", "--view", "--slice"),
)
_SHORT = ("-h", "-q", "-v", "-o")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; 0 all done, 1 some file failed, 2 wrong usage."""
    parser = command_parser()
    words = _shielded(sys.argv[1:] if arguments is None else arguments)
    args = _parsed(parser, words)
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


def _parsed(parser: argparse.ArgumentParser, words: Sequence[str]) -> argparse.Namespace:
    """The arguments; a mistyped option ends with the nearest one of its command."""
    args, unknown = parser.parse_known_args(words)
    if unknown:
        (verbs,) = (each for each in parser._actions if isinstance(each, argparse._SubParsersAction))
        verb = next((verbs.choices[word] for word in words if word in verbs.choices), parser)
        options = [name for action in verb._actions for name in action.option_strings]
        hints = [each + nearest(each.split("=")[0], options).replace("'", "") for each in unknown]
        verb.exit(2, f"{verb.prog}: unrecognized arguments: {' '.join(hints)}: see {verb.prog} --help\n")
    return args


def _level(args: argparse.Namespace) -> int:
    return logging.DEBUG if args.verbose else logging.WARNING if args.quiet else logging.INFO


def command_parser() -> argparse.ArgumentParser:
    """The parser with all commands; imports nothing heavy."""
    parser = argparse.ArgumentParser(
        "flowgrad",
        description="Velocity gradient, deformation and spin from flow files, and whether the fluid is Newtonian.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=_Version())
    verbs = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for add in _VERBS:
        add(verbs)
    return parser


class _Version(str):
    """The version's text, looked up only when it is printed."""

    def __mod__(self, _: object) -> str:
        import flowgrad

        return f"flowgrad {flowgrad.__version__}"


def _configured(args: argparse.Namespace, parser: argparse.ArgumentParser, words: Sequence[str]) -> argparse.Namespace:
    """The arguments with those of --config as defaults."""
    from flowgrad.batch.settings import read_config

    args.verb.set_defaults(**read_config(args.config, args.verb._actions))
    return _parsed(parser, words)
