"""The command line: arguments in, text out; no physics."""

from flowgrad.cli.command import main

__all__ = ["main"]
