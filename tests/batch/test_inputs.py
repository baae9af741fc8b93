"""Which files a result depends on."""

import os

from flowgrad.batch.inputs import are_same, marks, recorded, stamp


def test_what_is_read_within_the_block_is_recorded(tmp_path):
    for name in ("read.vtu", "before.vtu"):
        (tmp_path / name).write_text(name)
    (tmp_path / "before.vtu").read_text()
    with recorded() as opened:
        (tmp_path / "read.vtu").read_text()
        (tmp_path / "written.vtu").write_text("new")
    (tmp_path / "before.vtu").read_text()
    assert {path for path in opened if path.startswith(str(tmp_path))} == {str(tmp_path / "read.vtu")}


def test_parts_are_data_outside_the_results(tmp_path):
    (tmp_path / "out").mkdir()
    for name in ("a.pvtu", "piece.vtu", "notes.log", "out/b.vtu"):
        (tmp_path / name).write_text(name)
    opened = {str(tmp_path / name) for name in ("piece.vtu", "notes.log", "out/b.vtu", "gone.vtu")}
    source = str(tmp_path / "a.pvtu")
    found = marks(source, stamp(source), "", opened, tmp_path / "out")
    assert set(found) == {source, str(tmp_path / "piece.vtu")}
    assert are_same(found)
    (tmp_path / "piece.vtu").write_text("eceip.vtu")
    assert not are_same(found)


def test_everything_beside_an_index_counts_by_size_and_time(tmp_path):
    for name in ("a.xdmf", "a.h5"):
        (tmp_path / name).write_text(name)
    source = str(tmp_path / "a.xdmf")
    found = marks(source, stamp(source), "", set(), tmp_path / "out")
    assert set(found) == {source, str(tmp_path / "a.h5")}
    os.utime(tmp_path / "a.h5", ns=(1, 1))
    assert not are_same(found)


def test_what_is_no_file_has_no_mark(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    assert stamp(tmp_path / "pipe") is None
    assert stamp(tmp_path) is None
    assert stamp("\0") is None
    assert not are_same({})
