"""Times of a table: each a field of its own, on one mesh where the positions come again."""

import numpy as np
import pytest

import flowgrad

RATES = (1.0, 2.0, 5.0)


def rows(times=(0.0, 0.5, 1.5), n=6, lacking=()):
    """Rows (x, y, t, u, v) of extension at another rate at each time."""
    return [
        (x, y, t, rate * x, -rate * y)
        for step, (t, rate) in enumerate(zip(times, RATES, strict=True))
        for x in range(n)
        for y in range(n)
        if (step, x, y) not in lacking
    ]


def write(path, table, name="time", order=None):
    table = table if order is None else [table[i] for i in order]
    lines = [f"x,y,{name},u,v", *(",".join(f"{value:.17g}" for value in row) for row in table)]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def rates(series):
    return [flowgrad.velocity_gradient(flow).L[:, 0, 0] for flow in series]


@pytest.mark.parametrize(
    ("name", "factor"),
    [("t", 1), ("time", 1), ("Time [ms]", 1e-3), ("Time (s)", 1), ("frame", 1), ("Frame Number", 1)],
)
def test_rows_of_several_times_are_a_series(tmp_path, name, factor):
    shuffled = np.random.default_rng(1).permutation(3 * 36)
    series = flowgrad.read_series(write(tmp_path / "piv.csv", rows(), name, shuffled))
    assert [flow.time for flow in series] == pytest.approx([0, 0.5 * factor, 1.5 * factor], rel=1e-15)
    for found, rate in zip(rates(series), RATES, strict=True):
        np.testing.assert_allclose(found, rate, rtol=1e-13)
    assert series[2].mesh is series.mesh
    assert "time" not in {key.lower()[:4] for key in series[0].point_data}


def test_a_vector_that_a_time_lacks_is_none_there(tmp_path, caplog):
    caplog.set_level("INFO")
    lacking = {(1, 2, 3), (1, 5, 5), (2, 0, 0)}
    series = flowgrad.read_series(write(tmp_path / "piv.csv", rows(lacking=lacking)))
    assert [int(np.isnan(flow.velocity[:, 0]).sum()) for flow in series] == [0, 2, 1]
    assert "2 of 36 positions have no row at this time" in caplog.text
    for found, rate in zip(rates(series), RATES, strict=True):
        np.testing.assert_allclose(found[np.isfinite(found)], rate, rtol=1e-12)
    statistics = flowgrad.series_statistics(series)
    assert sorted(set(statistics.count("velocity").tolist())) == [2, 3]


def test_one_time_is_chosen(tmp_path, caplog):
    caplog.set_level("INFO")
    path = write(tmp_path / "piv.csv", rows())
    assert flowgrad.read(path, time=0.5).time == 0.5
    assert flowgrad.read(path).time == 1.5
    assert "holds 3 times (0, 0.5, 1.5): the last is read" in caplog.text
    with pytest.raises(flowgrad.OptionError, match=r"has no time 7: it holds 0, 0\.5, 1\.5"):
        flowgrad.read(path, time=7)


def test_tracked_particles_have_points_of_their_own(tmp_path):
    rng = np.random.default_rng(3)
    table = [(x, y, t, r * x, -r * y) for t, r in zip((1, 2, 3), RATES, strict=True) for x, y in rng.random((80, 2))]
    series = flowgrad.read_series(write(tmp_path / "ptv.csv", table, "frame"))
    assert [len(flow.velocity) for flow in (series.makers[0](), series.makers[1]())] == [80, 80]
    np.testing.assert_allclose(flowgrad.velocity_gradient(series.makers[2]()).L[:, 0, 0], RATES[2], rtol=1e-9)
    with pytest.raises(flowgrad.MeshError, match="80 of 80 points have moved"):
        series[1]


def test_a_probe_that_is_moved_measures_one_field(tmp_path):
    """Each row has its own time and position."""
    table = [(x, y, float(number), 2 * x, -2 * y) for number, (x, y) in enumerate(np.ndindex(6, 6))]
    flow = flowgrad.read(write(tmp_path / "probe.csv", table))
    np.testing.assert_allclose(flowgrad.velocity_gradient(flow).L[:, 0, 0], 2, rtol=1e-13)
    assert flow.time is None


def test_one_time_of_all_rows_is_the_time_of_the_field(tmp_path):
    table = [row for row in rows() if row[2] == 0.5]
    assert flowgrad.read(write(tmp_path / "one.csv", table)).time == 0.5
    assert flowgrad.read(write(tmp_path / "frame.csv", table, "frame")).time is None


def test_a_column_of_temperatures_is_no_time(tmp_path):
    table = [(x, y, 300 + x, x, -y) for x, y, t, _, _ in rows() if t == 0]
    flow = flowgrad.read(write(tmp_path / "warm.csv", table, "T"))
    assert flow.time is None
    assert "T" in flow.point_data


@pytest.mark.parametrize(
    ("table", "name", "message"),
    [
        (rows() + rows()[:1], "t", "has 37 rows at 36 positions at t = 0: a position has one velocity at a time"),
        (rows(), "T", r"has 72 rows at positions of others, such as \(0, 0, 0\), with another 'T'"),
        ([(*row[:2], float("nan"), *row[3:]) for row in rows()], "t", "108 of 108 rows have no 't'"),
        (
            [(*row[:2], number, *row[3:]) for number, row in enumerate(rows())],
            "t",
            "has 108 values of 't' in 108 rows at 36 positions: give the rows of one field one time",
        ),
    ],
)
def test_rows_that_are_no_fields_are_refused(tmp_path, table, name, message):
    with pytest.raises(flowgrad.ReadError, match=message):
        flowgrad.read(write(tmp_path / "bad.csv", table, name))


def test_scattered_rows_that_are_there_twice_are_one(tmp_path, caplog):
    caplog.set_level("INFO")
    rng = np.random.default_rng(4)
    points = rng.random((60, 2))
    twice = np.concatenate([points, points[:20]])
    path = tmp_path / "blocks.csv"
    table = np.column_stack([twice, np.arange(80), 3 * twice[:, 0], -3 * twice[:, 1]])
    np.savetxt(path, table, delimiter=",", header="x,y,Point ID,u,v", comments="", fmt="%.17g")
    flow = flowgrad.read(path)
    assert len(flow.velocity) == 60
    assert "20 of 80 rows are there again and are left out" in caplog.text
    np.testing.assert_allclose(flowgrad.velocity_gradient(flow).L[:, 0, 0], 3, rtol=1e-9)


def test_a_data_frame_of_several_times_is_a_series():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(rows(), columns=["x", "y", "t", "u", "v"])
    series = flowgrad.from_pandas(frame)
    assert [flow.time for flow in series] == [0, 0.5, 1.5]
    for found, rate in zip(rates(series), RATES, strict=True):
        np.testing.assert_allclose(found, rate, rtol=1e-13)
    assert flowgrad.from_pandas(frame[frame.t == 0.5]).velocity.shape == (36, 3)
