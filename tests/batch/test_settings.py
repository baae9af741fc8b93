"""Numbers of workers, limits and shards, from their texts."""

import os

import pytest

from flowgrad import OptionError
from flowgrad.batch.settings import Settings, cores


@pytest.mark.parametrize(
    ("text", "size"), [("4G", 4 * 2**30), ("1.5g", 3 * 2**29), ("800M", 800 * 2**20), ("900MiB", 900 * 2**20)]
)
def test_sizes(text, size):
    assert Settings(max_memory=text).limits.memory == size


def test_jobs_and_shards():
    assert [Settings(jobs=text).processes for text in ("3", "auto", None)] == [3, cores(), 1]
    assert (Settings(shard="2/8").own(range(16)), Settings().own(range(2))) == ([1, 9], [0, 1])


@pytest.mark.parametrize("text", ["four", "4X", "-1G", ""])
def test_sizes_that_are_none(text):
    with pytest.raises(OptionError, match="--max-memory"):
        Settings(max_memory=text)


@pytest.mark.parametrize(
    ("make", "option"),
    [
        (lambda: Settings(jobs=0), "--jobs"),
        (lambda: Settings(threads=0), "--threads"),
        (lambda: Settings(engine="spark"), "dask"),
        (lambda: Settings(scheduler="tcp://a:1"), "--engine"),
        (lambda: Settings(shard="3/2"), "--shard"),
        (lambda: Settings(shard="0/2"), "--shard"),
        (lambda: Settings(timeout=0), "--timeout"),
        (lambda: Settings(timeout=float("nan")), "--timeout"),
        (lambda: Settings(max_memory="1000"), "at least 256M"),
        (lambda: Settings(jobs="many"), "--jobs"),
        (lambda: Settings(shard="half"), "--shard"),
    ],
)
def test_what_cannot_be_is_refused_by_its_name(make, option):
    with pytest.raises(OptionError, match=option):
        make()


def test_the_cores_are_divided_among_the_workers():
    assert Settings(jobs=2).threads_each == max(1, cores() // 2)
    assert Settings(jobs=10 * (os.cpu_count() or 1)).threads_each == 1
    assert Settings(jobs=2, threads=3).threads_each == 3
