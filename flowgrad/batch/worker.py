"""Worker process that analyses files: ``python -m flowgrad.batch.worker [MEMORY]``.

Reads one task a line from its standard input and writes one answer a line to its standard output, as
JSON: ``{"log": [level, text]}``, ``{"ready": seconds}`` once, and an outcome for each task. What anybody
prints goes to the standard error. When the one who asks is gone, it ends, with all that it started.
"""

from __future__ import annotations

import faulthandler
import json
import logging
import os
import queue
import signal
import sys
import threading
import time
from dataclasses import asdict
from typing import Any, TextIO

import psutil

from flowgrad import plugins
from flowgrad.batch.manifest import Task
from flowgrad.batch.process_file import attempt, repeated


def main() -> None:
    """Answer tasks until the standard input ends."""
    answers = os.fdopen(os.dup(1), "w", encoding="ascii")
    os.dup2(2, 1)
    faulthandler.enable()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    waiting: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(waiting,), daemon=True).start()

    class Sender(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            _say(answers, {"log": [record.levelno, self.format(record)]})

    level = int(os.environ.get("FLOWGRAD_LOG_LEVEL", logging.INFO))
    logging.basicConfig(handlers=[Sender()], level=level, format="%(message)s")
    for library in ("matplotlib", "numba", "PIL", "fontTools"):
        logging.getLogger(library).setLevel(logging.WARNING)
    start = time.perf_counter()
    plugins.load()
    _warm_up()
    if len(sys.argv) > 1:
        limit_memory(int(sys.argv[1]))
    _say(answers, {"ready": time.perf_counter() - start})
    differentiate = repeated()
    while True:
        _say(answers, asdict(attempt(Task(**json.loads(waiting.get())), differentiate)))


def _listen(waiting: queue.SimpleQueue[str]) -> None:
    """Take tasks; at their end, end this process group at once, whatever it is doing."""
    for line in sys.stdin:
        waiting.put(line)
    if hasattr(os, "killpg") and os.getpgid(0) == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(0)


def _say(answers: TextIO, message: dict[str, Any]) -> None:
    answers.write(json.dumps(message) + "\n")
    answers.flush()


def limit_memory(most: int) -> None:
    """Let this process, and each that it starts, hold at most so many bytes: what asks for more gets a
    MemoryError. Address space that is taken but not used, such as that of libraries, does not count. Systems without
    such a limit leave it to the supervisor, who watches the memory that is held."""
    if sys.platform != "linux":
        return
    import resource

    memory = psutil.Process().memory_info()
    resource.setrlimit(resource.RLIMIT_AS, (memory.vms - memory.rss + most, resource.RLIM_INFINITY))


def _warm_up() -> None:
    """Load, and where they are new compile, what every file needs, so that no file's time limit pays for it."""
    import numpy as np

    from flowgrad.flow import Flow
    from flowgrad.mesh import Cells, Mesh
    from flowgrad.pipeline.analysis import analyse_flow

    corners = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1]])
    mesh = Mesh(corners, Cells.of_type(10, np.array([[0, 1, 2, 3], [1, 2, 3, 4]])))
    analyse_flow(Flow(mesh, corners, "points")).summary()


if __name__ == "__main__":
    main()
