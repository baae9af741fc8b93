from __future__ import annotations

import pytest

from flowgrad.io import formats, read_contents
from flowgrad.io.unsupported import REASONS


@pytest.mark.parametrize("suffix", REASONS)
def test_by_that_reason(tmp_path, refused, suffix):
    path = tmp_path / f"case{suffix.upper()}"
    path.write_bytes(b"x")
    with refused(path, ": "):
        read_contents(path)


@pytest.mark.parametrize(
    ("suffix", "reason"),
    [(".stl", "no fields"), (".inp", "no fields"), (".npy", r"numpy\.savez\(x="), (".png", "is a picture")],
)
def test_the_reason_is_the_formats(tmp_path, refused, suffix, reason):
    (tmp_path / f"case{suffix}").write_bytes(b"x")
    with refused(tmp_path / f"case{suffix}", reason):
        read_contents(tmp_path / f"case{suffix}")


def test_nothing_is_both_read_and_refused():
    assert not set(formats()) & set(REASONS)


def test_a_suffix_that_nobody_knows(tmp_path, refused):
    (tmp_path / "case.qqq").write_bytes(b"x")
    with refused(tmp_path / "case.qqq", "'.qqq' are not read: convert to one of .*vtu"):
        read_contents(tmp_path / "case.qqq")
