"""Which files a result depends on."""

import glob
import os
import sys
import sysconfig
from pathlib import Path

import pytest

from flowgrad.batch.files import are_same, input_marks, recorded, stamp
from flowgrad.files import READ_EVENT
from flowgrad.io import read_contents


def test_what_is_read_within_the_block_is_recorded(tmp_path):
    for name in ("read.vtu", "before.vtu"):
        (tmp_path / name).write_text(name)
    (tmp_path / "before.vtu").read_text()
    with recorded() as opened:
        (tmp_path / "read.vtu").read_text()
        (tmp_path / "written.vtu").write_text("new")
    (tmp_path / "before.vtu").read_text()
    assert {path for path in opened if path.startswith(str(tmp_path))} == {str(tmp_path / "read.vtu")}


def test_what_a_library_says_it_reads_is_data_whatever_its_suffix(tmp_path):
    for name in ("a.xdmf", "a.h5", "b.h5"):
        (tmp_path / name).write_text(name)
    with recorded() as opened:
        sys.audit(READ_EVENT, str(tmp_path / "a.h5"))
        (tmp_path / "a.h5").read_text()
        (tmp_path / "b.h5").read_text()
    source = str(tmp_path / "a.xdmf")
    found = input_marks(source, stamp(source), "", opened, tmp_path / "out")
    assert set(found) == {source, str(tmp_path / "a.h5")}


def test_parts_are_data_outside_the_results(tmp_path):
    (tmp_path / "out").mkdir()
    for name in ("a.pvtu", "piece.vtu", "notes.log", "out/b.vtu"):
        (tmp_path / name).write_text(name)
    opened = {str(tmp_path / name): False for name in ("piece.vtu", "notes.log", "out/b.vtu", "gone.vtu")}
    source = str(tmp_path / "a.pvtu")
    found = input_marks(source, stamp(source), "", opened, tmp_path / "out")
    assert set(found) == {source, str(tmp_path / "piece.vtu")}
    assert are_same(found)
    (tmp_path / "piece.vtu").write_text("eceip.vtu")
    assert not are_same(found)


def test_what_packages_read_of_their_own_is_no_part(tmp_path):
    (tmp_path / "a.vtu").touch()
    for listed in ("purelib", "platlib", "stdlib"):
        found = glob.glob(f"{sysconfig.get_path(listed)}/*/*.txt")
        assert found
        opened = dict.fromkeys(found, False)
        source = str(tmp_path / "a.vtu")
        assert set(input_marks(source, stamp(source), "", opened, tmp_path / "out")) == {source}


def test_everything_beside_an_index_counts_by_size_and_time(tmp_path):
    for name in ("a.case", "a.geo", "out/b.json", "away/deep/U"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / "here").symlink_to(tmp_path / "away")
    (tmp_path / "away" / "circle").symlink_to(tmp_path)
    source = str(tmp_path / "a.case")
    found = input_marks(source, stamp(source), "", {}, tmp_path / "out")
    assert {Path(each).resolve() for each in found} == {tmp_path / name for name in ("a.case", "a.geo", "away/deep/U")}
    os.utime(tmp_path / "a.geo", ns=(1, 1))
    assert not are_same(found)


def test_a_linked_folder_of_a_case_counts(tmp_path):
    (tmp_path / "mesh").mkdir()
    (tmp_path / "mesh" / "points").write_text("1")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "constant").symlink_to(tmp_path / "mesh")
    (tmp_path / "run" / "a.foam").touch()
    source = str(tmp_path / "run" / "a.foam")
    found = input_marks(source, stamp(source), "", {}, tmp_path / "out")
    assert are_same(found)
    (tmp_path / "mesh" / "points").write_text("22")
    assert not are_same(found)


# A file of a time that is not read is no part.
SETS = {
    **dict.fromkeys(("a.pvtu", "a.pvtp", "a.pvti", "a.vtm", "a.xdmf", "a.ele", "a.foam", "a.cas"), ""),
    **dict.fromkeys(("a.pvd", "a.vtu.series"), "l.vtu"),
}


@pytest.mark.parametrize("name", SETS)
def test_a_change_of_any_part_is_noticed(tmp_path, monkeypatch, name):
    pytest.importorskip("vtkmodules", reason="VTK writes the files")
    from tests.io import small_files

    monkeypatch.chdir(tmp_path)
    path, files = small_files.MAKERS[name](tmp_path)
    before = stamp(path)
    with recorded() as opened:
        read_contents(path)
    found = input_marks(str(path), before, "", opened, tmp_path / "out")
    parts = [each for each in files if each.name != SETS[name]]
    assert parts
    for part in parts:
        assert are_same(found)
        content, times = part.read_bytes(), part.stat()
        part.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        os.utime(part, ns=(times.st_atime_ns, times.st_mtime_ns + 1))
        assert not are_same(found), f"a change of {part.name} is not noticed"
        part.write_bytes(content)
        os.utime(part, ns=(times.st_atime_ns, times.st_mtime_ns))


def test_what_is_no_file_has_no_mark(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    assert stamp(tmp_path / "pipe") is None
    assert stamp(tmp_path / "nowhere") is None
    assert stamp("\0") is None
    assert not are_same({})
