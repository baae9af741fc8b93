import numpy as np
import pytest

from flowgrad import OptionError
from flowgrad.rheology.measured_curve import usable_points

RATE = np.geomspace(0.1, 100, 10)
STRESS = 2 * RATE


def changed(values, **at):
    values = values.copy()
    for row, value in at.items():
        values[int(row[1:])] = value
    return values


def test_good_points_are_sorted_and_nothing_is_left_out():
    points = usable_points(RATE[::-1], STRESS[::-1])
    np.testing.assert_array_equal(points.rate, RATE)
    np.testing.assert_array_equal(points.stress, STRESS)
    np.testing.assert_array_equal(points.used, np.arange(10)[::-1])
    assert points.excluded == {}
    assert points.notes == []


def test_what_cannot_be_used_is_counted_once():
    rate = changed(RATE, _0=0.0, _1=-1.0, _2=np.nan)
    stress = changed(STRESS, _2=-1.0, _3=np.inf, _4=0.0)
    points = usable_points(rate, stress)
    assert points.excluded == {"missing": 2, "nonpositive_rate": 2, "nonpositive_stress": 1}
    np.testing.assert_array_equal(points.used, [5, 6, 7, 8, 9])
    assert points.notes[0] == "left out: 2 points without a number"


def test_standard_deviations_are_looked_at():
    points = usable_points(RATE, STRESS, changed(0.1 * STRESS, _3=0.0))
    assert points.excluded == {"nonpositive_sigma": 1}
    assert len(points.sigma) == 9


def test_repeated_rates_count_and_repeated_rows_do_not():
    rate, stress = np.append(RATE, RATE[[2, 3]]), np.append(STRESS, [STRESS[2], 1.01 * STRESS[3]])
    points = usable_points(rate, stress)
    assert points.excluded == {"repeated_row": 1}
    assert len(points.rate) == 11
    assert "1 shear rate measured more than once" in points.notes[1]


def test_masked_values_are_missing():
    assert usable_points(RATE, np.ma.masked_greater(STRESS, 100)).excluded == {"missing": 1}


@pytest.mark.parametrize(
    ("rate", "stress", "message"),
    [
        (RATE, -STRESS, "10 of 10 stresses are negative .* other sign"),
        (RATE[:3], STRESS[:3], "3 of 3 points can be used, at 3 different"),
        (np.ones(10), STRESS, "at 1 different shear rates"),
        (
            changed(RATE, **{f"_{k}": np.nan for k in range(7)}),
            STRESS,
            "3 of 10 .*7 points without a number.* at least 4",
        ),
        (-RATE, STRESS, "0 of 10 points .*10 points with a shear rate that is not positive"),
        (RATE, STRESS[:4], "10, 4"),
        (RATE, ["1", "x"], "stresses are not all numbers"),
        (RATE[None], STRESS, "shape"),
    ],
)
def test_what_is_no_flow_curve_is_refused(rate, stress, message):
    with pytest.raises(OptionError, match=message):
        usable_points(rate, stress)
