"""--config: the names of the options, strictly; and the configuration that a run leaves."""

import tomllib

import pytest

from flowgrad.batch.settings import config_text, read_config
from flowgrad.cli import main
from flowgrad.cli.command import command_parser
from tests.batch.conftest import write_flow


def parsed(*words):
    return command_parser().parse_args(["run", *map(str, words)])


EVERYTHING = (
    *(
        "a b.vtu",
        "c/**/*.vtu",
        "-o",
        "out",
        "--velocity",
        'U"\\\t',
        "--location",
        "cells",
        "--boundary",
        "b/{stem}/*.vtp",
    ),
    *("--noise", "0.1", "--scheme", "finite-difference(order=3)", "--at", "points", "--error", "--density", "1000"),
    *("--viscosity", "η", "--quantities", "L,D", "--no-report", "--jobs", "auto", "--threads", "2", "--timeout", "9.5"),
    *("--max-memory", "4G", "--engine", "dask", "--scheduler", "tcp://10.0.0.1:8786"),
)


def test_what_is_written_is_read_back(tmp_path):
    args = parsed(*EVERYTHING)
    (tmp_path / "run.toml").write_text(config_text(vars(args), args.verb._actions))
    again = parsed("--config", "x")
    again.verb.set_defaults(**read_config(tmp_path / "run.toml", again.verb._actions))
    left_out = ("verb", "config")
    found = vars(again.verb.parse_args([]))
    assert {k: v for k, v in found.items() if k not in left_out} == {
        k: v for k, v in vars(args).items() if k not in left_out
    }


def test_every_option_of_the_command_can_be_given(tmp_path):
    verb = parsed("a").verb
    known = {action.dest for action in verb._actions} - {"help", "config"}
    for action in verb._actions:
        if action.dest in known and action.option_strings:
            value = "true" if action.nargs == 0 else f'"{next(iter(action.choices or ["1"]))}"'
            path = tmp_path / "one.toml"
            path.write_text(f"{action.option_strings[-1].lstrip('-')} = {value}\n")
            assert set(read_config(path, verb._actions)) == {action.dest}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('viscosty = "nu"', "did you mean 'viscosity'"),
        ('max_memori = "4G"', "did you mean 'max-memory'"),
        ("error = 1", "not true or false"),
        ('length = "long"', "not a number"),
        ("threads = 1.5", "threads"),
        ('engine = "spark"', "dask"),
        ("velocity = true", "not a text or a number"),
        ("[run]\njobs = 2", "no option 'run'"),
        ("jobs = ", "TOML"),
        ("config = 'a.toml'", "no option 'config'"),
    ],
)
def test_wrong_configurations_are_told(capsys, tmp_path, text, message):
    (tmp_path / "run.toml").write_text(text)
    code = main(["run", "a.vtu", "-o", str(tmp_path / "out"), "--config", str(tmp_path / "run.toml")])
    assert code == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_the_command_line_beats_the_configuration(tmp_path):
    flow = write_flow(tmp_path / "a.vtu")
    (tmp_path / "my.toml").write_text('viscosity = 0.5\nno-report = true\nat = "points"\ndensity = 2\n')
    words = ["run", str(flow), "-o", str(tmp_path / "out"), "--config", str(tmp_path / "my.toml"), "--viscosity", "0.1"]
    assert main([*words, "-q"]) == 0
    effective = tomllib.loads((tmp_path / "out" / "run.toml").read_text())
    assert effective["viscosity"] == "0.1"
    assert (effective["at"], effective["density"], effective["no-report"]) == ("points", "2", True)
    before = (tmp_path / "out" / "a.json").read_bytes()
    assert main(["run", "--config", str(tmp_path / "out" / "run.toml"), "-o", str(tmp_path / "again"), "-q"]) == 0
    assert (tmp_path / "again" / "a.json").read_bytes() == before
