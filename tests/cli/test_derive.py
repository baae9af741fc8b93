"""The command ``derive`` as a person runs it."""

import sys

import numpy as np
import pytest

from flowgrad.cli import main

symbols = pytest.importorskip("flowgrad.formula.symbols")


def run(capsys, *arguments):
    code = main([str(each) for each in arguments])
    out, err = capsys.readouterr()
    return code, out.splitlines(), err


def test_the_gradient_of_the_textbook(capsys):
    code, lines, _ = run(capsys, "derive", "x^2 + x*y + z", "--at", "x=-1,y=2,z=3")
    assert code == 0
    assert "gradient: [2*x + y, x, 1]" in lines
    assert "  gradient: [0, -1, 1]" in lines
    assert "  steepest ascent: along [0, -0.707106781187, 0.707106781187], slope 1.41421356237" in lines


def test_direction_and_hessian(capsys):
    _, lines, _ = run(capsys, "derive", "x^2*y + z", "--at", "1,2,3", "--along", "1,1,0", "--hessian")
    found = next(line for line in lines if line.startswith("  derivative along"))
    assert float(found.split(": ")[1]) == pytest.approx((4 + 1) / np.sqrt(2))
    assert [line for line in lines if line.startswith("    [")] == ["    [4, 2, 0]", "    [2, 0, 0]", "    [0, 0, 0]"]
    assert "mixed second derivatives agree" in lines
    assert "  mixed second derivatives agree (largest difference 0)" in lines


def test_several_formulas_have_a_jacobian(capsys):
    _, lines, _ = run(capsys, "derive", "-y*x; x^2", "z", "--at", "x=3,y=4,z=5")
    assert lines[3:7] == ["Jacobian:", "  [-y, -x, 0]", "  [2*x, 0, 0]", "  [0, 0, 1]"]
    assert lines[-3:] == ["    [-4, -3, 0]", "    [6, 0, 0]", "    [0, 0, 1]"]


@pytest.mark.parametrize("arguments", [("-y^2", "--at", "-3"), ("--at", "-3", "-y^2"), ("--at=-3", "-y^2", "-q")])
def test_minus_signs_are_no_options(capsys, arguments):
    code, lines, _ = run(capsys, "derive", *arguments)
    assert (code, lines[1], lines[-2]) == (0, "gradient: [-2*y]", "  gradient: [6]")


def test_other_variables(capsys):
    code, lines, _ = run(capsys, "derive", "r*cos(phi)", "--at", "r=2,phi=pi/3")
    assert (code, lines[1]) == (0, "gradient: [cos(phi), -r*sin(phi)]")
    assert "  value: 1" in lines
    _, lines, _ = run(capsys, "derive", "x", "--variables", "y,x")
    assert lines[1] == "gradient: [0, 1]"


def test_no_derivative_is_said(capsys):
    _, lines, _ = run(capsys, "derive", "abs(x) + y", "--at", "x=0,y=1")
    assert "  gradient: [nan, 1]" in lines
    assert any("no derivative" in line and "abs(x): its argument is 0" in line for line in lines)
    _, lines, _ = run(capsys, "derive", "where(x<0, -x, x)", "--at", "0")
    assert any("may have no derivative" in line for line in lines)


def test_rounding_is_no_disagreement(capsys):
    """(1 − cos x)/x² loses all digits near 0, in symbols and numbers in different ways."""
    code, _, _ = run(capsys, "derive", "(1 - cos(x))/x^2 + y", "--at", "1e-5,1", "--hessian")
    assert code == 0


def test_a_disagreement_is_an_error(capsys, monkeypatch):
    wrong = symbols.gradient
    monkeypatch.setattr(symbols, "gradient", lambda formula: wrong(formula)[::-1])
    code, _, err = run(capsys, "derive", "x^2*y", "--at", "1,2")
    assert code == 1
    assert "[4.0, 1.0] by dual numbers and [1.0, 4.0] by symbols" in err


def test_without_sympy_there_are_numbers(capsys, monkeypatch):
    for name in [each for each in sys.modules if each.split(".")[0] == "sympy"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "sympy", None)
    monkeypatch.delitem(sys.modules, "flowgrad.formula.symbols", raising=False)
    monkeypatch.delattr("flowgrad.formula.symbols", raising=False)
    code, lines, _ = run(capsys, "derive", "x^2*y", "--at", "1,2")
    assert code == 0
    assert [line for line in lines if "flowgrad[formula]" in line] == [lines[1]]
    assert "  gradient: [4, 1]" in lines
    code, _, err = run(capsys, "derive", "x^2*y")
    assert code == 1
    assert "flowgrad[formula]" in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("x+",), "position 3"),
        (("3",), "no variable"),
        (("x*y", "--at", "x=1"), "does not give y"),
        (("x*y", "--at", "1"), "--at has 1 numbers: give 2"),
        (("x", "--at", "x=1,x=2"), "twice"),
        (("x", "--at", "x=1/0"), "--at"),
        (("x*y", "--along", "0,0"), "length 0"),
        (("x", "-o", "a.png"), "two variables"),
        (("x*y", "-o", "a.gif"), "png, svg, pdf"),
        (("x*y;x", "-o", "a.png"), "folder"),
        (("x*y*z", "-o", "a.png"), "give --at"),
        (("x*y", "--range", "0:1,0:1"), "give -o"),
        (("x*y", "-o", "a.png", "--range", "0:1"), "give two"),
    ],
)
def test_slips_are_explained_in_one_line(capsys, arguments, said):
    code, _, err = run(capsys, "derive", *arguments)
    assert code == 2
    assert said in err
    assert err.count("\n") == 1


def test_figures(capsys, tmp_path):
    from PIL import Image

    single = tmp_path / "a" / "saddle.png"
    assert run(capsys, "derive", "x^2 - y^2 + z", "--at", "0,0,1", "-o", single, "--range", "-1:1,-2:2")[0] == 0
    picture = np.asarray(Image.open(single).convert("RGB"))
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 100
    assert run(capsys, "derive", "u=1/(x*y); sqrt(-1-x^2-y^2); x-x+y-y", "-o", tmp_path)[0] == 0
    assert sorted(path.name for path in tmp_path.glob("*.png")) == ["f2.png", "f3.png", "u.png"]
