"""The manifest survives what kills the one who writes it."""

import errno
import os

import pytest

from flowgrad import OptionError
from flowgrad.batch.manifest import DONE, FAILED, FileRecord, Manifest, read_all
from flowgrad.errors import WriteError


def record(number, state=DONE, **more):
    return FileRecord(f"f\udcff{number}.vtu", f"f{number}", state, row={"verdict": "newtonian"}, **more)


def test_the_last_state_counts(tmp_path):
    with Manifest(tmp_path / "manifest.jsonl") as manifest:
        manifest.add(FileRecord("a", "a"), FileRecord("b", "b"))
        manifest.add(FileRecord("a", "a", FAILED, reason="one"))
        manifest.add(FileRecord("a", "a", DONE))
    found = read_all(tmp_path)
    assert (found["a"].state, found["b"].state) == (DONE, "waiting")


def test_records_come_back_as_they_were(tmp_path):
    given = record(1, inputs={"f\udcff": [1, 2, "x"]}, options={"quantities": ["L"]}, sizes={"a": 1}, seconds=0.5)
    with Manifest(tmp_path / "manifest.jsonl") as manifest:
        manifest.add(given)
    assert read_all(tmp_path) == {given.file: given}


def test_cut_off_at_any_byte_the_whole_lines_are_left_and_the_next_is_whole(tmp_path):
    path = tmp_path / "manifest.jsonl"
    with Manifest(path) as manifest:
        for number in range(3):
            manifest.add(record(number))
    content = path.read_bytes()
    ends = [position + 1 for position, byte in enumerate(content) if byte == 10]
    for cut in range(len(content)):
        path.write_bytes(content[:cut])
        # A line is whole with its last brace.
        expected = sum(cut >= end - 1 for end in ends)
        assert len(read_all(tmp_path)) == expected
        with Manifest(path) as manifest:
            manifest.add(record(9))
        assert len(read_all(tmp_path)) == expected + 1
        Manifest(path).close()


def test_two_cannot_write_one(tmp_path):
    path = tmp_path / "manifest.jsonl"
    with Manifest(path), pytest.raises(OptionError, match="another run"):
        Manifest(path)
    Manifest(path).close()


@pytest.mark.parametrize("content", [b"my own list\n", b'{"name": 1}', b'{"fine": 1}\n'])
def test_a_file_of_others_is_not_written_to(tmp_path, content):
    path = tmp_path / "manifest.jsonl"
    path.write_bytes(content)
    with pytest.raises(OptionError, match="no manifest of flowgrad"):
        Manifest(path)
    assert path.read_bytes() == content


def test_shards_write_their_own_and_are_read_together(tmp_path):
    for part in (1, 2):
        with Manifest(tmp_path / f"manifest-{part}-of-2.jsonl") as manifest:
            manifest.add(record(part))
    assert len(read_all(tmp_path)) == 2


@pytest.mark.parametrize("written", [0, 5])
def test_a_full_disk_leaves_whole_lines(tmp_path, monkeypatch, written):
    write = os.write

    def full(handle, text):
        if written:
            return write(handle, text[:written])
        raise OSError(errno.ENOSPC, "No space left on device")

    path = tmp_path / "manifest.jsonl"
    with Manifest(path) as manifest:
        manifest.add(record(1))
        before = path.read_bytes()
        monkeypatch.setattr(os, "write", full)
        with pytest.raises(WriteError, match="No space left"):
            manifest.add(record(2))
        assert path.read_bytes() == before


def test_a_folder_that_is_read_only_is_told(tmp_path, monkeypatch):
    """Root may write anywhere, so that the refusal is the system's by name."""

    def refused(*_, **__):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "open", refused)
    with pytest.raises(WriteError, match=r"manifest.*Permission denied"):
        Manifest(tmp_path / "manifest.jsonl")
