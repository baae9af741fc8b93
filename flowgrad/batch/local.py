"""The engine of one machine: a thread for each worker process, and one list of files for all."""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator, Sequence

from flowgrad.batch.supervisor import Equipment, Worker
from flowgrad.batch.task import Outcome, Task

Ended = queue.SimpleQueue[Outcome | BaseException]


def outcomes(tasks: Sequence[Task], equipment: Equipment, processes: int) -> Generator[Outcome]:
    """The outcome of each file as it ends; closing the iterator ends all workers."""
    workers = [Worker(equipment) for _ in range(min(processes, len(tasks)))]
    waiting: queue.SimpleQueue[Task | None] = queue.SimpleQueue()
    for each in (*tasks, *[None] * len(workers)):
        waiting.put(each)
    ended: Ended = queue.SimpleQueue()
    try:
        for worker in workers:
            threading.Thread(target=_serve, args=(worker, waiting, ended), daemon=True).start()
        for _ in tasks:
            outcome = ended.get()
            if isinstance(outcome, BaseException):
                raise outcome
            yield outcome
    finally:
        for worker in workers:
            worker.stop()


def _serve(worker: Worker, waiting: queue.SimpleQueue[Task | None], ended: Ended) -> None:
    try:
        while (task := waiting.get()) is not None:
            ended.put(worker.run(task))
    except BaseException as error:
        ended.put(error)
