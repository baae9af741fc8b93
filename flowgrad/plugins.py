"""Plugins: installed packages that register schemes, formats, quantities or models, found by their entry points.

A package names the module that registers what it brings, or a function that does, in its pyproject.toml:

[project.entry-points."flowgrad.plugins"]
my-scheme = "mypackage.scheme"
"""

from __future__ import annotations

from flowgrad.errors import FlowgradError

GROUP = "flowgrad.plugins"

_loaded: set[str] = set()


def load() -> tuple[str, ...]:
    """Import every plugin that is installed, each once in a process, and return their names.

    The command and its workers call this before they look up a name; in Python call it, or import the package.
    Raises FlowgradError, naming the plugin and its package, for one that fails.
    """
    from importlib.metadata import entry_points

    points = entry_points(group=GROUP)
    for point in points:
        if point.name in _loaded:
            continue
        try:
            found = point.load()
            if callable(found):
                found()
        except Exception as error:
            package = f" of {point.dist.name} {point.dist.version}" if point.dist else ""
            raise FlowgradError(
                f"the plugin '{point.name}'{package} ({point.value}) fails ({type(error).__name__}: {error}): "
                "correct it, or uninstall that package"
            ) from error
        _loaded.add(point.name)
    return tuple(point.name for point in points)
