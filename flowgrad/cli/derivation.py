"""Derivatives of formulas for the command ``derive``: symbols and numbers, one checked by the other, and figures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from flowgrad import autodiff
from flowgrad.autodiff.numpy_backend import point_jacobians
from flowgrad.errors import DerivativeError, MissingDependencyError, OptionError, WriteError
from flowgrad.files import replacing
from flowgrad.formula import Formula, Formulas, parse_formulas
from flowgrad.formula.arguments import interval, named_numbers, number
from flowgrad.typing import FloatArray

# Formulas with more operations have derivatives that fill pages.
_LARGEST = 200
# Numbers and symbols agree to this fraction of the largest derivative and, times the second, of the largest
# number met on the way to the value; else to so many times what a change of x in its last digit makes.
_RELATIVE, _ABSOLUTE, _SPREAD = 1e-9, 1e-12, 100.0
# Second derivatives that differ by more than this fraction of the largest do not agree.
_SAME = 1e-9
_SUFFIXES = ("png", "svg", "pdf")
# Values along each axis of a figure, and how far it goes to each side of the point unless told.
_VALUES, _REACH = 241, 2.0


@dataclass(frozen=True, eq=False)
class Derivation:
    """Formulas and what is asked of them: derivatives as symbols and, where there is a ``point`` (d,), as numbers.

    ``direction`` (d,) is that of the directional derivative, of any length but zero.
    """

    formulas: Formulas
    point: FloatArray | None = None
    direction: FloatArray | None = None
    hessian: bool = False

    @classmethod
    def of(
        cls,
        texts: Sequence[str],
        at: str | None = None,
        along: str | None = None,
        variables: str | None = None,
        hessian: bool = False,
    ) -> Derivation:
        """From the texts of the command line; OptionError for what does not fit together."""
        places = named_numbers(at, "--at") if at is not None and "=" in at else {}
        declared = None if variables is None else [name.strip() for name in variables.split(",")]
        formulas = parse_formulas(texts, declared, tuple(places))
        names = formulas.variables
        if not names:
            raise OptionError("there is no variable to differentiate by: use x, y, z or t, or name them by --variables")
        point = None
        if places:
            missing = [name for name in names if name not in places]
            unknown = [name for name in places if name not in names]
            if missing or unknown:
                what = f"does not give {', '.join(missing)}" if missing else f"gives {', '.join(unknown)}, no variable"
                raise OptionError(f"--at {what}: write {','.join(f'{name}=…' for name in names)}")
            point = np.array([places[name] for name in names])
        elif at is not None:
            point = _in_order(at, names, "--at")
        direction = None if along is None else _in_order(along, names, "--along")
        if direction is not None and not direction.any():
            raise OptionError("--along has the length 0: give a direction")
        return cls(formulas, point, direction, hessian)

    @property
    def variables(self) -> tuple[str, ...]:
        """Names of the variables (d,)."""
        return self.formulas.variables

    @cached_property
    def named(self) -> list[tuple[str, Formula]]:
        """The formulas with their labels, or f, or f1, f2, … where they have none."""
        found = self.formulas.formulas
        return [(each.label or ("f" if len(found) == 1 else f"f{i}"), each) for i, each in enumerate(found, 1)]

    @cached_property
    def place(self) -> dict[str, float]:
        """The point by the names of the variables."""
        return dict(zip(self.variables, np.asarray(self.point).tolist(), strict=True))

    @cached_property
    def jacobian(self) -> FloatArray:
        """∂f_i/∂x_j (k, d) at the point, by dual numbers; NaN where there is none."""
        found = autodiff.jacobian(self.formulas, np.asarray(self.point), backend="numpy")
        for i, j in np.argwhere(~np.isfinite(found)):
            # With the other variables constant: a kink along them is none along x_j.
            formula, name = self.formulas.formulas[i], self.variables[j]
            slope = autodiff.jacobian(
                lambda s, f=formula, name=name: f.evaluate({**self.place, name: s}, ()), self.place[name]
            )
            found[i, j] = float(slope)
        return found

    @cached_property
    def hessians(self) -> FloatArray:
        """∂²f_i/∂x_j∂x_k (k, d, d) at the point."""
        return autodiff.hessian(self.formulas, np.asarray(self.point), backend="numpy")


def _in_order(text: str, names: Sequence[str], option: str) -> FloatArray:
    found = np.array([number(piece, option) for piece in text.split(",")])
    if len(found) != len(names):
        raise OptionError(f"{option} has {len(found)} numbers: give {len(names)}, for {', '.join(names)}")
    return found


class _Symbolic:
    """The derivatives of the formulas of a derivation as formulas: ``jacobian`` in row i and column j ∂f_i/∂x_j,
    ``hessians`` ∂/∂x_k (∂f_i/∂x_j) where they are asked for. ImportError without SymPy."""

    def __init__(self, asked: Derivation) -> None:
        from flowgrad.formula import symbols

        formulas = asked.formulas.formulas
        self.asked, self.symbols = asked, symbols
        self.jacobian = [symbols.gradient(each) for each in formulas]
        self.hessians = [symbols.hessian(each) for each in formulas] if asked.hessian else []

    def lines(self) -> Iterator[str]:
        """The lines of an answer."""
        asked = self.asked
        yield from _table([[each.text for each in row] for row in self.jacobian], "Jacobian", "gradient")
        if asked.direction is not None:
            direction = asked.direction.tolist()
            slopes = [self.symbols.directional_derivative(each, direction).text for _, each in asked.named]
            yield f"derivative along {_row(map(_number, direction))}: {_one_or_row(slopes)}"
        for (name, _), H in zip(asked.named, self.hessians, strict=False):
            yield from _table([[each.text for each in row] for row in H], f"Hessian of {name}")
        d = len(asked.variables)
        if asked.hessian and d > 1:
            pairs = [(H[i][j], H[j][i]) for H in self.hessians for i in range(d) for j in range(i)]
            agree = all(a.text == b.text or _coincide(a, b) for a, b in pairs)
            yield f"mixed second derivatives {'agree' if agree else 'DIFFER: they depend on the order'}"

    def check(self) -> None:
        """DerivativeError where the symbols, evaluated at the point, are other numbers than dual numbers give."""
        self._compare("Jacobian", autodiff.jacobian, self.asked.jacobian, self.jacobian)
        if self.asked.hessian:
            self._compare("Hessian", autodiff.hessian, self.asked.hessians, self.hessians)

    def _compare(self, what: str, derivative: Callable[..., FloatArray], found: FloatArray, formulas: Any) -> None:
        place = self.asked.place
        for (name, formula), one, rows in zip(self.asked.named, found, formulas, strict=True):
            flat = np.ravel(np.array(rows, dtype=object))
            other = np.array([float(each.evaluate(place, ())) for each in flat]).reshape(one.shape)
            known = np.isfinite(one) & np.isfinite(other)
            largest = np.max(np.abs(one), initial=0.0, where=known)
            room = _RELATIVE * largest + _ABSOLUTE * formula.size(place)
            with np.errstate(invalid="ignore"):
                difference = np.max(np.abs(one - other), initial=0.0, where=known)
            if difference > room and difference > room + _SPREAD * self._spread(formula, derivative):
                raise DerivativeError(
                    f"the {what} of {name} is {one.tolist()} by dual numbers and {other.tolist()} by symbols: one of "
                    "them is wrong, please report it with the formula"
                )

    def _spread(self, formula: Formula, derivative: Callable[..., FloatArray]) -> float:
        """How much a derivative changes where the point changes in its last digit: rounding, as after 1 − cos x."""
        x = np.asarray(self.asked.point)
        here = derivative(formula, x, backend="numpy")
        near = [derivative(formula, np.nextafter(x, end), backend="numpy") for end in (-np.inf, np.inf)]
        return float(np.nan_to_num(np.abs(np.array(near) - here), nan=0.0, posinf=0.0).max())


def _coincide(a: Formula, b: Formula) -> bool:
    """Whether two formulas are one at many points."""
    points = np.random.default_rng(0).uniform(-2, 2, (100, len(a.variables)))
    one, other = a(points), b(points)
    known = np.isfinite(one) & np.isfinite(other)
    room = 1e-8 * np.max(np.abs(one), initial=0.0, where=known)
    return bool(np.allclose(one[known], other[known], rtol=1e-8, atol=room))


def answer(asked: Derivation) -> Iterator[str]:
    """The lines of the command ``derive``.

    Raises DerivativeError where symbols and dual numbers disagree, and MissingDependencyError where SymPy is not
    installed and no point is given.
    """
    for name, formula in asked.named:
        yield f"{name}({', '.join(asked.variables)}) = {formula.text}"
    symbolic, reason = None, ""
    size = max(len(formula.steps) for _, formula in asked.named)
    if size > _LARGEST:
        reason = f"no symbols: a formula has {size} operations, more than {_LARGEST}; make it shorter"
    else:
        try:
            symbolic = _Symbolic(asked)
        except ImportError as error:
            if error.name and error.name.split(".")[0] != "sympy":
                raise
            reason = "no symbols: they need SymPy, pip install 'flowgrad[formula]'"
    if symbolic is not None:
        yield from symbolic.lines()
    elif asked.point is None:
        raise MissingDependencyError(f"{reason}; or give --at for the derivatives as numbers")
    else:
        yield reason
    if asked.point is not None:
        if symbolic:
            symbolic.check()
        yield "at " + ", ".join(f"{name} = {_number(value)}" for name, value in asked.place.items())
        yield from ("  " + line for line in _numbers(asked))


def _numbers(asked: Derivation) -> Iterator[str]:
    values, J = np.asarray(asked.formulas(np.asarray(asked.point)), float), asked.jacobian
    yield f"value{'s' * (len(values) > 1)}: {_one_or_row([_number(each) for each in values])}"
    yield from _table([[_number(each) for each in row] for row in J], "Jacobian", "gradient")
    for (name, formula), slopes in zip(asked.named, J, strict=True):
        reasons = "; ".join(formula.kinks(asked.place))
        if not np.isfinite(slopes).all():
            reasons = reasons or "its value is no real number nearby"
            yield f"{name} has no derivative where it says nan or inf ({reasons})"
        elif reasons:
            yield f"{name} may have no derivative, this may be that of one side ({reasons})"
    if len(values) == 1:
        yield _ascent(J[0])
    if asked.direction is not None:
        unit = asked.direction / np.abs(asked.direction).max()
        unit = unit / np.linalg.norm(unit)
        slopes = [_number(each) for each in J @ unit]
        yield f"derivative along {_row(map(_number, unit))}: {_one_or_row(slopes)}"
    if asked.hessian:
        for (name, _), H in zip(asked.named, asked.hessians, strict=True):
            yield from _table([[_number(each) for each in row] for row in H], f"Hessian of {name}")
        if len(asked.variables) > 1:
            yield _mixed(asked.hessians)


def _ascent(gradient: FloatArray) -> str:
    largest = np.abs(gradient).max()
    if not np.isfinite(largest):
        return "steepest ascent: not known"
    if not largest:
        return "steepest ascent: none, the gradient is zero"
    length = np.linalg.norm(gradient / largest)
    return (
        f"steepest ascent: along {_row(map(_number, gradient / largest / length))}, slope {_number(largest * length)}"
    )


def _mixed(H: FloatArray) -> str:
    """Whether the numbers agree with those of the other order."""
    difference = np.abs(H - H.swapaxes(-1, -2))
    if not np.isfinite(difference).all():
        return "mixed second derivatives: not all known"
    largest = float(difference.max())
    verdict = "agree" if largest <= _SAME * np.abs(H).max() else "DIFFER"
    return f"mixed second derivatives {verdict} (largest difference {largest:.2g})"


def _number(value: float) -> str:
    """Twelve digits at most, and no negative zero."""
    return f"{value + 0.0:.12g}"


def _row(texts: Iterable[str]) -> str:
    return f"[{', '.join(texts)}]"


def _one_or_row(texts: list[str]) -> str:
    return texts[0] if len(texts) == 1 else _row(texts)


def _table(rows: list[list[str]], name: str, of_one: str = "") -> Iterator[str]:
    """A matrix in one line a row, or the one row of a gradient beside its name."""
    if of_one and len(rows) == 1:
        yield f"{of_one}: {_row(rows[0])}"
    else:
        yield f"{name}:"
        yield from ("  " + _row(row) for row in rows)


def draw(asked: Derivation, output: Path, ranges: str | None = None) -> list[Path]:
    """Write one figure a formula, its contours in the plane of the first two variables and arrows of its gradient: the
    file ``output`` (png, svg or pdf), or files in a folder of this name.

    ``ranges`` is ``LOW:HIGH,LOW:HIGH`` for the first two variables; the others stay at the point. Returns the names of
    the files. Raises OptionError for formulas of one variable and other suffixes, WriteError where the system refuses.
    """
    from flowgrad import plot
    from flowgrad.plot.contours import Landscape, nodes

    window = _window(asked, ranges)
    files = _files(asked, output)
    names, rest = asked.variables, np.empty(0) if asked.point is None else asked.point[2:]
    fixed = [f"{each} = {_number(value)}" for each, value in list(asked.place.items())[2:]] if len(rest) else []

    x, y = (np.linspace(low, high, _VALUES) for low, high in window)
    places = nodes(window)
    # Points (…, d): the first two variables in the plane, the others as they are given.
    grid, arrows = (
        np.concatenate([each, np.broadcast_to(rest, (*each.shape[:-1], len(rest)))], axis=-1)
        for each in (np.stack(np.meshgrid(x, y), -1), places)
    )
    for (name, formula), file in zip(asked.named, files, strict=True):
        values = formula(grid)
        slopes = point_jacobians(Formulas((formula,)), arrows)[1][:, 0, :2]
        label = f"{name}  ({', '.join(fixed)})" if fixed else name
        point = None if asked.point is None else asked.point[:2]
        landscape = Landscape(x, y, values, places, slopes, (names[0], names[1], label), point)
        with plot.figure(plot.ONE_COLUMN * 1.25, plot.ONE_COLUMN) as ax, replacing(file) as stream:
            plot.contours(landscape, ax)
            plot.save(ax, stream, file.suffix.lstrip(".").lower())
    return files


def _window(asked: Derivation, ranges: str | None) -> list[tuple[float, float]]:
    names = asked.variables
    if len(names) < 2:
        raise OptionError(f"a figure needs two variables, and there is {names[0]} only: name two by --variables")
    if len(names) > 2 and asked.point is None:
        raise OptionError(f"the figure is drawn in {names[0]} and {names[1]}: give --at, where the others stay")
    if ranges is None:
        middle = np.zeros(2) if asked.point is None else asked.point[:2]
        return [(float(each) - _REACH, float(each) + _REACH) for each in middle]
    window = [interval(piece, "--range") for piece in ranges.split(",")]
    if len(window) != 2:
        raise OptionError(f"--range has {len(window)} ranges: give two, for {names[0]} and {names[1]}")
    return window


def _files(asked: Derivation, output: Path) -> list[Path]:
    kind = output.suffix.lstrip(".").lower()
    is_file = bool(kind) and not output.is_dir()
    if is_file and kind not in _SUFFIXES:
        raise OptionError(f"{output}: figures are written as {', '.join(_SUFFIXES)}: choose one of these suffixes")
    if is_file and len(asked.named) > 1:
        raise OptionError(f"{output}: there are {len(asked.named)} figures: give a folder for them")
    folder = output.parent if is_file else output
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(f"{folder}: cannot be made a folder ({error.strerror}): choose another -o") from None
    return [output] if is_file else [folder / f"{name}.png" for name, _ in asked.named]
