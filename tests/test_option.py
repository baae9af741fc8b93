"""Option records: checks, exclusions, needs, and the signature of a function that takes one."""

from __future__ import annotations

import inspect
from dataclasses import dataclass

import pytest

from flowgrad import OptionError
from flowgrad.option import OptionRecord, finite, not_empty, option, positive, takes


@dataclass(frozen=True)
class Settings(OptionRecord):
    name: str | None = option(None, "a name", kw_only=False, check=not_empty)
    scale: float | None = option(None, "a factor", metavar="NUMBER", check=positive)
    time: float | None = option(None, "a time", check=finite, needs=("name", "scale"))
    kind: str = option("auto", "a kind", choices=("auto", "exact"), excludes=("name",))


@takes(Settings)
def measured(path: str, settings: Settings) -> tuple[str, Settings]:
    """Measure."""
    return path, settings


def test_fields_of_the_record_are_the_arguments() -> None:
    assert measured("a", "v", scale=2.0) == ("a", Settings("v", scale=2.0))
    parameters = inspect.signature(measured).parameters
    assert list(parameters) == ["path", "name", "scale", "time", "kind"]
    assert parameters["name"].kind == inspect.Parameter.POSITIONAL_OR_KEYWORD
    assert parameters["scale"].kind == inspect.Parameter.KEYWORD_ONLY
    assert parameters["kind"].default == "auto"
    assert measured.__doc__ == "Measure."


def test_an_unknown_argument_is_refused() -> None:
    with pytest.raises(TypeError, match="colour"):
        measured("a", colour="red")  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("given", "facts"),
    [
        ({"scale": 0.0}, "--scale.*0.0"),
        ({"scale": float("nan")}, "--scale.*nan"),
        ({"time": float("inf"), "scale": 1.0}, "--time.*inf"),
        ({"name": ""}, "--name.*empty"),
        ({"kind": "exat"}, "--kind 'exat'.*exact"),
        ({"kind": "exact", "name": "v"}, "--kind.*--name"),
        ({"time": 1.0}, "--time.*--name or --scale"),
    ],
)
def test_what_does_not_fit_is_named(given: dict[str, object], facts: str) -> None:
    with pytest.raises(OptionError, match=facts):
        Settings(**given)  # type: ignore[arg-type]


def test_given_are_those_that_differ_from_the_defaults() -> None:
    assert Settings("v", scale=2.0).given() == {"name": "v", "scale": 2.0}
