"""Lattices in blocks: the same numbers as of the whole, bit for bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from flowgrad import MeshError, OptionError, Options, ReadError, analyse
from flowgrad.io import read_contents
from flowgrad.moments import PERCENTILE_ERROR
from flowgrad.pipeline.out_of_core import run_in_blocks
from tests.pipeline.images import rough, write_image

SHAPE = (7, 6, 9)
COUNT = 7 * 6 * 9
CELLS = 6 * 5 * 8
NAMES = ("L", "D", "shear_rate", "vorticity", "lambda2", "liutex", "helicity", "acceleration", "rivlin_ericksen_2")


def both(path: Path, exact: bool = True, **options):
    """Check the file in blocks of one plane against the whole: arrays, notes, counts, statistics; the summary."""
    given = Options(**{"quantities": NAMES, "steady": True, **options, "block_memory": "1"})
    target = path.with_name("out")
    found = run_in_blocks(path, target, given)
    assert found is not None
    whole = analyse(path, given)
    result = read_contents(next(path.parent.glob("out_blocks.vt?")))
    at = whole.gradient.location
    data = result.point_data if at == "points" else result.cell_data
    single = np.float32 if whole.flow.source and exact else np.float64
    for name in given.quantities:
        due = whole.gradient[name].reshape(len(whole.gradient), -1)
        got = data[name].reshape(len(due), -1)
        np.testing.assert_array_equal(got, due.astype(single).astype(float), err_msg=name)
    assert ("valid" in data) == (not whole.gradient.valid.all())
    if "valid" in data:
        np.testing.assert_array_equal(data["valid"], whole.gradient.valid)
    np.testing.assert_allclose(result.mesh.points, whole.flow.mesh.points, rtol=1e-15, atol=1e-15)
    compare(found.summary, whole.summary())
    for name, each in found.summary["statistics"].items():
        check_percentiles(each, whole.gradient[name], whole.gradient.weights)
    assert result.time == whole.flow.time
    return found.summary


def compare(ours: dict, whole: dict) -> None:
    for name in ("file", "verdict", "origin", "statement", "evidence", "velocity", "time"):
        assert ours[name] == whole[name], name
    # The reasons for the scheme differ: noise is looked for in the whole alone.
    assert {**ours["gradient"], "reason": ""} == {**whole["gradient"], "reason": ""}
    for name in ("points", "cells", "types", "patches"):
        assert ours["mesh"][name] == whole["mesh"][name]
    assert ours["mesh"]["measure"] == pytest.approx(whole["mesh"]["measure"], rel=1e-12)
    assert ours["provenance"] == whole["provenance"]
    assert ours["statistics"].keys() == whole["statistics"].keys()
    for name, due in whole["statistics"].items():
        got = ours["statistics"][name]
        assert got["minimum"] == due["minimum"]
        assert got["maximum"] == due["maximum"]
        assert got["mean"] == pytest.approx(due["mean"], rel=1e-12, abs=1e-13 * (due["maximum"] - due["minimum"]))


def check_percentiles(statistics: dict, values: np.ndarray, weights: np.ndarray) -> None:
    """Within half a bin of a value with that share of the measure below it."""
    sizes = np.sqrt((values.reshape(len(values), -1) ** 2).sum(axis=1)) if values.ndim > 1 else values
    chosen = np.isfinite(sizes) & (weights > 0)
    sizes, weights = sizes[chosen], weights[chosen]
    for name, share in (("percentile_5", 0.05), ("median", 0.5), ("percentile_95", 0.95)):
        got, width = statistics[name], abs(statistics[name]) * PERCENTILE_ERROR * 1.001
        below, up_to = (weights[known].sum() / weights.sum() for known in (sizes < got - width, sizes <= got + width))
        assert below <= share + 1e-12
        assert up_to >= share - 1e-12


@pytest.mark.parametrize("scheme", ["auto", *(f"finite-difference(order={p})" for p in (3, 4, 6, 8))])
def test_every_order_at_points(tmp_path, scheme):
    path = write_image(tmp_path / "a.vti", SHAPE, {"U": rough(COUNT)}, compressed=scheme != "auto")
    assert both(path, scheme=scheme)["blocks"]["count"] == 9


def test_cells_and_double_precision(tmp_path):
    path = write_image(tmp_path / "a.vti", SHAPE, None, {"U": rough(CELLS, "f8"), "p": rough(CELLS)})
    assert both(path, exact=False)["blocks"]["count"] == 8


def test_second_derivatives(tmp_path):
    path = write_image(tmp_path / "a.vti", SHAPE, {"U": rough(COUNT)})
    names = ("shear_rate", "laplacian")
    for order in (2, 3, 4):
        both(path, quantities=names, scheme=f"finite-difference(order={order})")


def test_turned_scaled_and_timed(tmp_path):
    turned = 'Origin="1 2 3" Spacing="0.1 0.2 0.3" Direction="0.6 -0.8 0 0.8 0.6 0 0 0 1"'
    fields = '<FieldData><DataArray type="Float64" Name="TimeValue" NumberOfTuples="1">0.25</DataArray></FieldData>'
    path = write_image(tmp_path / "a.vti", SHAPE, {"U": rough(COUNT)}, attributes=turned, field_data=fields)
    both(path, length_scale=1e-6)
    both(path, length_scale=1e6)
    both(path, y_down=True, time=0.25)
    with pytest.raises(OptionError, match="has no time 3"):
        both(path, time=3.0)


def test_a_plane_is_cut_along_its_second_axis(tmp_path):
    path = write_image(
        tmp_path / "a.vti", (9, 11, 1), {"u": rough(99)[:, 0].copy(), "v": rough(99, seed=1)[:, 0].copy()}
    )
    assert both(path)["blocks"]["count"] == 11


def test_uneven_axes(tmp_path):
    axes = [np.sort(np.random.default_rng(a).uniform(-1, 1, n)) for a, n in enumerate(SHAPE)]
    lines = "".join(
        f'<DataArray type="Float64" Name="{n}">{" ".join(map(repr, c.tolist()))}</DataArray>'
        for n, c in zip("xyz", axes, strict=True)
    )
    data = f"<Coordinates>{lines}</Coordinates>"
    path = write_image(tmp_path / "a.vtr", SHAPE, {"U": rough(COUNT)}, coordinates=data, attributes="")
    both(path)
    assert (tmp_path / "out_blocks.vtr").exists()


@pytest.mark.parametrize("order", [2, 4])
@pytest.mark.parametrize("at", ["points", "cells"])
def test_holes(tmp_path, at, order):
    count = COUNT if at == "points" else CELLS
    values = rough(count)
    values[np.random.default_rng(1).random(count) < 0.2] = np.nan
    values[: count // 3] = np.nan
    data = ({"U": values}, None) if at == "points" else (None, {"U": values})
    summary = both(write_image(tmp_path / "a.vti", SHAPE, *data), scheme=f"finite-difference(order={order})")
    notes = " ".join(summary["gradient"]["notes"])
    assert "between missing ones" in notes
    assert "are not finite" in notes


@pytest.mark.parametrize("at", ["points", "cells"])
def test_blanked_points_and_cells(tmp_path, at):
    rng = np.random.default_rng(2)
    points = (2 * (rng.random(COUNT) < 0.02)).astype("u1")
    cells = (32 * (rng.random(CELLS) < 0.03)).astype("u1")
    if at == "points":
        cells[:] = 0
        cells[:60] = 32
    name = "vtkGhostType"
    data = ({"U": rough(COUNT), name: points}, {name: cells})
    if at == "cells":
        data = ({name: points}, {"U": rough(CELLS), name: cells})
    assert both(write_image(tmp_path / "a.vti", SHAPE, *data))["gradient"]["excluded"] > 60


def test_blanked_cells_that_their_points_do_not_tell(tmp_path):
    cells = np.zeros(CELLS, "u1")
    cells[130] = 32
    path = write_image(tmp_path / "a.vti", SHAPE, {"U": rough(COUNT)}, {"vtkGhostType": cells})
    with pytest.raises(OptionError, match="blanks cells and none of their points"):
        both(path)
    assert not list(tmp_path.glob("*out*"))


def test_axes_shorter_than_the_order(tmp_path):
    path = write_image(tmp_path / "a.vti", (4, 3, 5), {"U": rough(60)})
    notes = both(path, scheme="finite-difference(order=6)")["gradient"]["notes"]
    assert any("order lowered to 4 along axis k" in note for note in notes)


def test_thickness_follows_the_memory(tmp_path):
    path = write_image(tmp_path / "a.vti", (6, 6, 40), {"U": rough(1440)})
    counts = []
    for memory in ("30K", "100K", "1M"):
        found = run_in_blocks(path, tmp_path / "out", Options(quantities=("shear_rate",), block_memory=memory))
        counts.append(None if found is None else found.summary["blocks"]["count"])
    assert counts[0] > counts[1] if counts[1] else counts[0] > 1
    assert counts[2] is None


REFUSED = (
    {"stress": "sigma"},
    {"viscosity": "0.1"},
    {"noise": "0.1"},
    {"error": True},
    {"walls": "auto"},
    {"out_of_plane": "unknown"},
    {"axisymmetric": "x"},
    {"gradient_field": "G"},
    {"quantities": ("omega_criterion",)},
    {"scheme": "autodiff"},
    {"scheme": "finite-difference(order=1)"},
    {"scheme": "finite-difference(order=2, smoothing=2)"},
    {"at": "cells"},
)


@pytest.mark.parametrize("options", REFUSED, ids=str)
def test_what_needs_the_whole_is_refused_by_name(tmp_path, options):
    path = write_image(tmp_path / "a.vti", SHAPE, {"U": rough(COUNT)})
    with pytest.raises(OptionError, match="--block-memory 9K to take the file as a whole") as raised:
        run_in_blocks(path, tmp_path / "out", Options(**options, block_memory="1K"))
    name, value = next(iter(options.items()))
    assert f"--{name.replace('_', '-')}" in str(raised.value) or str(value) in str(raised.value)
    assert not list(tmp_path.glob("*out*"))


def test_two_velocities_are_not_compared(tmp_path):
    path = write_image(tmp_path / "a.vti", SHAPE, {"U": rough(COUNT), "velocity": rough(COUNT)})
    with pytest.raises(OptionError, match="both be the velocity"):
        both(path)
    both(path, velocity="U")


def test_what_has_no_parts(tmp_path):
    path = write_image(tmp_path / "a.vti", SHAPE, {"U": rough(COUNT)})
    text = path.read_bytes()
    two = text.replace(b"<Piece ", b'<Piece Extent="0 -1 0 -1 0 -1"/><Piece ', 1)
    path.write_bytes(two)
    with pytest.raises(ReadError, match="2 pieces, which are not read in blocks"):
        run_in_blocks(path, tmp_path / "out", Options(block_memory="1K"))
    assert run_in_blocks(path, tmp_path / "out", Options()) is None
    path.write_bytes(text[: len(text) // 2])
    with pytest.raises(ReadError, match="cut off"):
        run_in_blocks(path, tmp_path / "out", Options(block_memory="1K"))
    (tmp_path / "a.vtu").write_bytes(b"x" * 4096)
    assert run_in_blocks(tmp_path / "a.vtu", tmp_path / "out", Options(block_memory="1K")) is None


def test_nothing_but_holes(tmp_path):
    path = write_image(tmp_path / "a.vti", SHAPE, {"U": np.full((COUNT, 3), np.nan, "f4")})
    with pytest.raises(MeshError, match="there is no gradient anywhere"):
        run_in_blocks(path, tmp_path / "out", Options(block_memory="1K"))
    assert not list(tmp_path.glob("*out*"))
