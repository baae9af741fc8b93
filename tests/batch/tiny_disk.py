"""Runs on disks with no room left: ``unshare -rm python -m tests.batch.tiny_disk FOLDER WORDS NAME …``.

In a namespace of its own, the results' folder is a disk in memory of so many pages that the result NAME does not fit;
then one that may not be written, then one with room. Prints a line of JSON for each.
"""

import contextlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from flowgrad.cli import main

PAGE = os.sysconf("SC_PAGE_SIZE")
ROOM = "size=64m,nr_inodes=1000"


def mounted(out: Path, *options: str) -> None:
    """A disk, or the same with other options."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", ",".join(options), "none", str(out)], check=True)


def command(words: list[str]) -> tuple[int, str]:
    """The exit status and what the command says as an error."""
    said = io.StringIO()
    with contextlib.redirect_stderr(said):
        code = main([*words, "-q"])
    return code, said.getvalue()


def results(out: Path) -> dict[str, bytes]:
    """All files, in the order in which they were written."""
    found = sorted((path for path in out.rglob("*") if path.is_file()), key=lambda path: path.stat().st_mtime_ns)
    return {str(path.relative_to(out)): path.read_bytes() for path in found}


def disks(whole: dict[str, bytes]) -> Iterator[tuple[str, str]]:
    """For each result, the options of a disk with a page less than all up to it need; for the first with no place."""
    first, taken = ("manifest.jsonl", "run.toml"), 0
    yield first[0], "nr_inodes=1"
    for name in (*first, *(each for each in whole if each not in first)):
        taken += -(-len(whole[name]) // PAGE)
        if name != first[0]:
            yield name, f"size={(taken - 1) * PAGE}"


def on_a_disk(out: Path, words: list[str], name: str, options: str, whole: dict[str, bytes]) -> dict[str, object]:
    """What is said and left where there is no room, where nothing may be written, and where there is room."""
    mounted(out, options)
    code, said = command(words)
    left = list(results(out))
    mounted(out, "remount", ROOM, "ro")
    protected = command(words)
    mounted(out, "remount", ROOM, "rw")
    again = command(words)
    after = results(out)
    same = [each for each in whole if each.endswith((".vtu", ".json", ".html")) and after.get(each) == whole[each]]
    subprocess.run(["umount", str(out)], check=True)
    found = {"name": name, "code": code, "said": said, "left": left, "protected": protected, "again": again}
    return {**found, "after": sorted(after), "same": same}


def demonstrate(folder: Path, words: list[str], wanted: list[str]) -> None:
    """All of it, for some of the results."""
    out = folder / "out"
    out.mkdir()
    mounted(out, ROOM)
    assert command(words) == (0, "")
    whole = results(out)
    subprocess.run(["umount", str(out)], check=True)
    for name, options in disks(whole):
        if name in wanted:
            print(json.dumps(on_a_disk(out, words, name, options, whole)), flush=True)


if __name__ == "__main__":
    demonstrate(Path(sys.argv[1]), json.loads(sys.argv[2]), sys.argv[3:])
