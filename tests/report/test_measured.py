"""Report of measured flows: mask, outliers and error bars seen; info on them; pages of simulations as they were."""

import dataclasses
import json
import re

import numpy as np
import pytest
from matplotlib.collections import PolyCollection

from flowgrad import Flow, Lattice, plot, velocity_gradient
from flowgrad.cli import main
from flowgrad.io import write_vtu
from flowgrad.pipeline.analysis import analyse_flow
from flowgrad.pipeline.options import Options
from flowgrad.report.flow_section import file_page
from flowgrad.report.measured_pictures import residual_curves

N = 40
X = np.linspace(0, 1, N)
LATTICE = Lattice.rectilinear(X, X)
X_, Y_ = LATTICE.points[:, :2].T
BODY = np.hypot(X_ - 0.7, Y_ - 0.3) < 0.1
SPOILED = np.array([205, 611, 1002])


def vortices(noise, body=True, spoiled=True):
    v = np.column_stack([np.sin(6 * X_) * np.cos(6 * Y_), -np.cos(6 * X_) * np.sin(6 * Y_), 0 * X_])
    v[:, :2] += noise * np.random.default_rng(3).normal(size=(N * N, 2))
    if spoiled:
        v[SPOILED, :2] = 3.0, -3.0
    v[BODY if body else []] = np.nan
    return v


@pytest.fixture(scope="module")
def measured():
    return analyse_flow(Flow(LATTICE, vortices(0.03), "points"), Options())


def test_outliers_and_what_was_not_measured_are_marked(measured):
    flow = measured.flow
    with plot.figure() as ax:
        plot.mark_left_out(flow, plot.field(measured.gradient, "vorticity", ax))
        (crosses,) = ax.lines
        found = {tuple(each) for each in np.column_stack(crosses.get_data()).round(9).tolist()}
        assert found == {tuple(each) for each in LATTICE.points[SPOILED, :2].round(9).tolist()}
        (hatched,) = [each for each in ax.collections if isinstance(each, PolyCollection) and each.get_hatch()]
        assert len(hatched.get_paths()) == BODY[LATTICE.cells.connectivity.reshape(-1, 4)].any(axis=1).sum()
        words = [each.get_text() for each in ax.get_legend().get_texts()]
    assert words[0] == "3 outliers, left out"
    assert "not measured" in words[1]


def test_nothing_is_marked_where_nothing_was_left_out():
    flow = Flow(LATTICE, vortices(0.0, body=False, spoiled=False), "points")
    with plot.figure() as ax:
        plot.mark_left_out(flow, plot.field(velocity_gradient(flow), "vorticity", ax))
        assert not ax.lines
        assert ax.get_legend() is None


def captions(analysis):
    return re.findall(r"<figcaption>(.*?)</figcaption>", file_page(analysis).html, re.DOTALL)


def test_the_vorticity_and_its_error_bars_come_first(measured):
    found = captions(measured)
    assert found[0].startswith("Vorticity")
    assert "Crosses: outliers. Hatched: not measured." in found[0]
    assert "Standard deviation of the vorticity" in found[1]
    assert "Standard deviation of the shear rate" in found[2]
    assert "no farther than the noise itself" in found[-1]


def test_pages_of_flows_without_noise_have_none_of_it():
    clean = analyse_flow(Flow(LATTICE, vortices(0.0, spoiled=False), "points"), Options())
    text = " ".join(captions(clean))
    assert "istribution" in captions(clean)[0]
    assert not re.search("Standard deviation|Crosses|Hatched|less its fits", text)


def test_structure_that_fits_leave_is_told(measured):
    """The same residual, beside noise that would reach less far than it does."""
    x = np.arange(N + 4)
    e = np.random.default_rng(1).normal(size=(x.size, x.size, 2))
    mean = sum(e[i : i + N, j : j + N] for i in range(4) for j in range(4)) / 4
    v = vortices(0.0, body=False, spoiled=False) + 0.05 * np.dstack([mean, 0 * mean[..., :1]]).reshape(-1, 3)
    flow = Flow(LATTICE, v, "points")
    independent = dataclasses.replace(flow.found_noise, window=1.0, found=True, deviation=np.array([0.05, 0.05, 0]))
    flow.__dict__["found_noise"] = independent
    analysis = analyse_flow(flow, Options(scheme="smooth"))
    ((_, caption),) = residual_curves(analysis)
    assert "they leave a part of the flow, or the noise reaches farther" in caption


def info(tmp_path, capsys, velocity):
    path = tmp_path / "piv.vtu"
    write_vtu(path, LATTICE, {"velocity": velocity})
    assert main(["info", str(path)]) == 0
    return capsys.readouterr().out.splitlines()


def lattice_info(tmp_path, capsys, velocity):
    path = tmp_path / "piv.npz"
    fields = dict(zip("xyuv", np.stack([X_, Y_, *velocity[:, :2].T]).reshape(4, N, N), strict=True))
    np.savez(path, **fields)
    assert main(["info", str(path)]) == 0
    return capsys.readouterr().out.splitlines()


def test_info_tells_what_the_fits_resolve(tmp_path, capsys):
    lines = lattice_info(tmp_path, capsys, vortices(0.03))
    assert any("outliers  3 of 1600" in line for line in lines)
    assert sum("noise of the velocity found" in line for line in lines) == 1
    (line,) = [line for line in lines if "waves shorter than" in line]
    spacings, length = map(float, re.search(r"than ([\d.]+) spacings \(([\d.e-]+) in", line).groups())
    assert length == pytest.approx(spacings * X[1], rel=0.05)


def test_noise_larger_than_the_flow_is_told_in_one_line(tmp_path, capsys):
    lines = lattice_info(tmp_path, capsys, vortices(2.0, spoiled=False))
    (line,) = [line for line in lines if "mostly noise" in line]
    noise, flow = map(float, re.search(r"the noise, ([\d.]+), is larger.* without it, ([\d.]+)", line).groups())
    assert noise == pytest.approx(2.0 * 2**0.5, rel=0.1)
    assert flow < noise
    assert not [line for line in lattice_info(tmp_path, capsys, vortices(0.03)) if "mostly noise" in line]


@pytest.mark.parametrize(("value", "words"), [(np.nan, "a run would stop: all 1600 vectors"), (0.0, "zero throughout")])
def test_vectors_that_are_all_masked_are_told_in_one_line(tmp_path, capsys, value, words):
    lines = info(tmp_path, capsys, np.full((N * N, 3), value))
    assert sum(words in line for line in lines) == 1


def test_a_run_on_nothing_but_masked_vectors_says_so(tmp_path):
    write_vtu(tmp_path / "piv.vtu", LATTICE, {"velocity": np.full((N * N, 3), np.nan)})
    assert main(["run", str(tmp_path / "piv.vtu"), "-o", str(tmp_path / "out"), "-q", "--no-report"]) == 1
    (line,) = (tmp_path / "out" / "manifest.jsonl").read_text().splitlines()[-1:]
    assert "1600 of 1600 velocities" in json.dumps(json.loads(line), ensure_ascii=False)
