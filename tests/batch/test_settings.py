"""Numbers of workers, limits and shards, from their texts."""

import os

import pytest

from flowgrad.batch.settings import Limits, Settings, cores, jobs_of, memory_of, shard_of
from flowgrad.errors import OptionError


@pytest.mark.parametrize(
    ("text", "size"), [("4G", 4 * 2**30), ("1.5g", 3 * 2**29), ("800M", 800 * 2**20), ("900MiB", 900 * 2**20)]
)
def test_sizes(text, size):
    assert memory_of(text) == size


def test_jobs_and_shards():
    assert (jobs_of("3"), jobs_of("auto"), jobs_of(None)) == (3, cores(), None)
    assert (shard_of("2/8"), shard_of(None)) == ((2, 8), (1, 1))


@pytest.mark.parametrize("text", ["four", "4X", "-1G", ""])
def test_sizes_that_are_none(text):
    with pytest.raises(OptionError, match="--max-memory"):
        memory_of(text)


@pytest.mark.parametrize(
    ("make", "option"),
    [
        (lambda: Settings(jobs=0), "--jobs"),
        (lambda: Settings(threads=0), "--threads"),
        (lambda: Settings(engine="spark"), "dask"),
        (lambda: Settings(scheduler="tcp://a:1"), "--engine dask"),
        (lambda: Settings(shard=(3, 2)), "--shard"),
        (lambda: Settings(shard=(0, 2)), "--shard"),
        (lambda: Limits(timeout=0), "--timeout"),
        (lambda: Limits(timeout=float("nan")), "--timeout"),
        (lambda: Limits(memory=1000), "at least 256M"),
        (lambda: jobs_of("many"), "--jobs"),
        (lambda: shard_of("half"), "--shard"),
    ],
)
def test_what_cannot_be_is_refused_by_its_name(make, option):
    with pytest.raises(OptionError, match=option):
        make()


def test_the_cores_are_divided_among_the_workers():
    assert Settings(jobs=2).threads_each == max(1, cores() // 2)
    assert Settings(jobs=10 * (os.cpu_count() or 1)).threads_each == 1
    assert Settings(jobs=2, threads=3).threads_each == 3
