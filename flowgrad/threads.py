"""How many threads this process may use."""

from __future__ import annotations

import os


def threads() -> int:
    """NUMBA_NUM_THREADS, which kernels obey, or one a core that this process may run on."""
    if os.environ.get("NUMBA_NUM_THREADS"):
        return int(os.environ["NUMBA_NUM_THREADS"])
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
