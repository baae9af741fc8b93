"""The memory of a process and of all that it started."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

log = logging.getLogger("flowgrad")


def resident(pid: int) -> int:
    """Bytes of main memory that a process and its children hold; 0 where the system does not tell."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        children = [
            int(child)
            for task in Path(f"/proc/{pid}/task").iterdir()
            for child in (task / "children").read_text().split()
        ]
    except (OSError, IndexError, ValueError):
        return 0
    return pages * _page() + sum(resident(child) for child in children)


def limit_memory(most: int) -> None:
    """Let this process, and each that it starts, hold at most so many bytes: what asks for more gets a
    MemoryError. Address space that is taken but not used, such as that of libraries, does not count."""
    if sys.platform == "win32":
        return
    import resource

    try:
        size, held = (int(each) * _page() for each in Path("/proc/self/statm").read_text().split()[:2])
        resource.setrlimit(resource.RLIMIT_AS, (size - held + most, resource.RLIM_INFINITY))
    except (OSError, ValueError):
        log.warning("this system does not limit the memory of a process: --max-memory has no effect here")


def _page() -> int:
    import resource

    return resource.getpagesize()
