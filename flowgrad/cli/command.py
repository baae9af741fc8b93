"""Parser of all commands, and what their errors are for the shell."""

from __future__ import annotations

import argparse
import importlib
import logging
import sys
from collections.abc import Sequence
from typing import Any

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

# In the order of the help: what each does, and the module of cli with its function that adds the arguments.
_VERBS = {
    "run": ("analyse files: gradients, D and W, quantities, verdict, report", "run", "add"),
    "info": ("what is in a file, and what would be used", "info", "add"),
    "plot": ("draw one figure: a field, a slice, a profile, a curve", "plot", "add"),
    "curve": ("flow curves of a rheometer's table: verdict, laws with intervals, figures, report", "curve", "add"),
    "derive": ("differentiate formulas: gradient or Jacobian, as symbols and as numbers", "derive", "add"),
    "verify": ("measure the accuracy of the schemes on this machine, or on the mesh of a file", "verify", "add"),
    "list": (
        "what flowgrad knows: quantities, models, schemes, cells, formats, or functions with a derivative",
        "info",
        "add_list",
    ),
}

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
    level = logging.DEBUG if args.verbose else logging.WARNING if args.quiet else logging.INFO
    logging.basicConfig(stream=sys.stderr, level=level, format="%(message)s", force=True)
    for library in ("matplotlib", "numba", "PIL", "fontTools"):
        logging.getLogger(library).setLevel(logging.WARNING)
    try:
        return int(args.command(_configured(args, parser, words)))
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


def _configured(args: argparse.Namespace, parser: argparse.ArgumentParser, words: Sequence[str]) -> argparse.Namespace:
    """The arguments, with those of --config as defaults, once plugins have registered what they bring."""
    from flowgrad import plugins

    plugins.load()
    if getattr(args, "config", None) is None:
        return args
    from flowgrad.batch.settings import read_config

    args.verb.set_defaults(**read_config(args.config, args.verb._actions))
    return _parsed(parser, words)


def command_parser() -> argparse.ArgumentParser:
    """The parser with all commands; imports nothing heavy."""
    parser = argparse.ArgumentParser(
        "flowgrad",
        description="Velocity gradient, deformation and spin from flow files, and whether the fluid is Newtonian.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=_Version())
    verbs = parser.add_subparsers(title="commands", required=True, metavar="COMMAND", parser_class=_Verb)
    for name, (text, _, _) in _VERBS.items():
        verbs.add_parser(name, help=text, description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    return parser


class _Verb(argparse.ArgumentParser):
    """The parser of one command, which gets its arguments when the command is asked for."""

    def parse_known_args(self, *args: Any, **options: Any) -> Any:
        if not self.get_default("verb"):
            noise = self.add_mutually_exclusive_group()
            noise.add_argument("-q", "--quiet", action="store_true", help="say only what went wrong")
            noise.add_argument("-v", "--verbose", action="store_true", help="say everything, tracebacks included")
            _, module, function = _VERBS[self.prog.split()[-1]]
            getattr(importlib.import_module(f"flowgrad.cli.{module}"), function)(self)
            self.set_defaults(verb=self)
        return super().parse_known_args(*args, **options)


class _Version(str):
    """The version's text, looked up only when it is printed."""

    def __mod__(self, _: object) -> str:
        import flowgrad

        return f"flowgrad {flowgrad.__version__}"
