"""The table of orders passes what converges and fails what does not."""

from dataclasses import dataclass

import numpy as np
import pytest

from flowgrad import FiniteDifference
from flowgrad.gradient import Operator, Scheme
from flowgrad.mesh.generate import block
from flowgrad.verify import ErrorNorms
from scripts.convergence import orders, studies
from scripts.convergence.orders import Result, Row, Study

SIZES = (5, 9, 17)
FLOW = studies._PLANE


def result(errors, expected=2, **fields):
    spacings = [0.5**k for k in range(len(errors))]
    deviations = [ErrorNorms(e, 2 * e, e, e, 0, 0) for e in errors]
    return Result(Row("made up", FiniteDifference(), "points", expected), spacings, deviations, **fields)


@pytest.mark.parametrize(
    ("errors", "order"),
    [
        ([1.0, 0.3, 0.075], 2.0),
        ([1e-9, 1e-11 * 2, 1e-13], np.log2(50)),
        ([1e-12, 1e-13, 1e-14], np.inf),
        ([1.0, 0.25, 0.0625, 2.0**-6], 2.0),
    ],
)
def test_the_order_is_that_of_the_finest_above_rounding(errors, order):
    np.testing.assert_allclose(result(errors).orders[0], order, rtol=1e-12)


def test_scattered_points_count_all_four_sizes():
    errors = np.array([1.0, 0.3, 0.05, 0.02])
    slope = np.polyfit(np.log(0.5) * np.arange(4), np.log(errors), 1)[0]
    np.testing.assert_allclose(result(list(errors)).orders, slope)


def test_what_fails():
    good = [1.0, 0.25, 0.0625]
    assert result(good).passed
    assert result(good, expected=2, effectivity=0.95).passed
    assert not result(good, expected=3).passed
    assert not result(good, effectivity=0.5).passed
    assert not result(good, effectivity=1.6).passed
    missing = result(good)
    missing.deviations[0] = ErrorNorms(1.0, 2.0, 1.0, 1.0, 0, 1)
    assert not missing.passed
    assert not result([1.0, 0.25, np.nan]).passed


@dataclass(frozen=True)
class Perturbed(Scheme):
    """The exact gradient and an error h^power; its finer scheme has ``share`` of the error."""

    power: int
    share: float = 0.0

    def prepare(self, flow, at):
        mesh = flow.mesh
        return PerturbedOperator(mesh.places(at), self.share * (np.sqrt(mesh.point_count) - 1) ** -self.power)

    def finer(self):
        return Perturbed(self.power, 0.0)


@dataclass(frozen=True, eq=False)
class PerturbedOperator(Operator):
    positions: np.ndarray
    size: float

    @property
    def matrices(self):
        raise NotImplementedError

    def vectors(self, values):
        return FLOW.gradient(self.positions) + self.size


@pytest.mark.parametrize(("power", "passed"), [(1, False), (2, True), (3, True)])
def test_a_study_sees_the_order_of_a_scheme(power, passed):
    row = Row("made up", Perturbed(power, 1.0), "points", 2)
    study = Study("a study", lambda n: block("triangle", n), SIZES, FLOW, "points", (row,))
    (found,) = study.measured()
    assert found.effectivity == pytest.approx(1)
    assert found.passed == passed
    lines = list(orders.lines(study))
    assert [ok for _, ok in lines] == [True] * 4 + [passed]
    assert lines[-1][0].endswith("ok" if passed else "FAIL")


def test_every_line_fits_a_terminal_of_100_columns():
    for study in (s for s in studies.studies() if "square" in s.title or "triangles" in s.title):
        for line, passed in orders.lines(study):
            assert passed, line
            assert len(line) <= 100, line


def test_the_studies_cover_all_schemes():
    rows = [(study.title, row) for study in studies.studies() for row in study.rows]
    fits = {(row.scheme.order, s.location) for s in studies.studies() for row in s.rows if "finite" in s.title}
    assert {(p, at) for p in (1, 2, 3, 4) for at in ("points", "cells")} <= fits
    for kind in ("uniform", "stretched", "curvilinear"):
        assert [row.expected for title, row in rows if kind in title] == [2, 4, 6, 8]
    assert {row.at for title, row in rows if "autodiff" in title} == {"cells", "points"}
    assert [s.sizes for s in studies.studies() if "scattered" in s.title and len(s.sizes) != 4] == []
