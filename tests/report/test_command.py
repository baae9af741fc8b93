"""The command on a page gives the same options again."""

import shlex
from pathlib import Path

import pytest

from flowgrad import Options
from flowgrad.cli.command import command_parser
from flowgrad.option import options_of
from flowgrad.report.template import command

CASES = [
    Options(),
    Options(stress="-sigma", body_force="5,0,0", error=True),
    Options(viscosity="carreau(eta0=1, eta_inf=0.1, lam=2, n=0.5)", density=1060.0, quantities=("D", "lambda2")),
    Options(
        boundary="boundary/{stem}/*.vtp", at="cells", out_of_plane="incompressible", length_scale=1e-3, y_down=True
    ),
]


@pytest.mark.parametrize("options", CASES)
def test_the_command_means_the_same_options(options):
    words = shlex.split(command(options, Path("my files/it's.vtu")))
    assert words[:3] == ["flowgrad", "run", "my files/it's.vtu"]
    assert options_of(Options, command_parser().parse_args(words[1:])) == options


def test_a_formula_on_a_grid_has_no_file():
    words = shlex.split(command(Options(formula="u=-y; v=x", grid="-1:1:5,-1:1:5"), Path("formula")))
    assert words[2].startswith("--formula=")
