"""Dask engine of a batch: the cluster says where a file is done; there, a supervised worker does it."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Generator, Sequence
from dataclasses import asdict
from typing import Any

from flowgrad.batch.manifest import Outcome, Task
from flowgrad.batch.supervisor import Equipment, Worker
from flowgrad.errors import MissingDependencyError, OptionError

# Seconds for a scheduler to answer.
_ANSWER = 20

_workers: dict[tuple[int, Equipment], Worker] = {}
# Those that were started ahead, while Dask is loaded.
_launched: dict[Equipment, list[Worker]] = {}


def outcomes(
    tasks: Sequence[Task], equipment: Equipment, processes: int, scheduler: str | None = None
) -> Generator[Outcome]:
    """The outcome of each file as it ends, on the cluster of the ``scheduler`` or on one of this machine.

    A file whose worker of Dask is lost is done by another one; it fails when several have been lost with it.
    Raises MissingDependencyError without Dask and OptionError where no scheduler answers.
    """
    with contextlib.ExitStack() as stack:
        if scheduler is None:
            stack.callback(dismiss, equipment)
            _launched[equipment] = [Worker(equipment) for _ in range(min(processes, len(tasks)))]
            for worker in _launched[equipment]:
                worker.launch()
        distributed = _distributed()
        client = stack.enter_context(_client(distributed, processes, scheduler, stack))
        stack.callback(_quietly, client.run, dismiss, equipment, on_error="ignore")
        asked = [(asdict(task), equipment) for task in tasks]
        futures = client.map(do_one, asked, pure=False, retries=0, batch_size=100)
        stack.callback(client.cancel, futures, force=True)
        sources = {future.key: task.source for future, task in zip(futures, tasks, strict=True)}
        for future in distributed.as_completed(futures):
            source = sources[future.key]
            if future.status == "finished":
                yield Outcome(**future.result())
            elif type(failure := future.exception()).__name__ == "KilledWorker":
                yield Outcome(
                    source, 0.0, error="several workers of Dask were lost with it: see their logs", kind="lost"
                )
            else:
                raise failure


def do_one(asked: tuple[dict[str, Any], Equipment]) -> dict[str, Any]:
    """One file, by the supervised worker that belongs to this thread."""
    task, equipment = asked
    key = (threading.get_ident(), equipment)
    if key not in _workers:
        ahead = _launched.get(equipment)
        _workers[key] = ahead.pop() if ahead else Worker(equipment)
    return asdict(_workers[key].run(Task(**task)))


def dismiss(equipment: Equipment) -> None:
    """End the supervised workers that were started here with this equipment."""
    for worker in _launched.pop(equipment, []):
        worker.stop()
    for key in [key for key in _workers if key[1] == equipment]:
        _workers.pop(key).stop()


def _quietly(call: Any, *args: Any, **options: Any) -> None:
    with contextlib.suppress(OSError, TimeoutError):
        call(*args, **options)


def _distributed() -> Any:
    try:
        import distributed
    except ImportError:
        raise MissingDependencyError("--engine dask needs Dask: install flowgrad[dask]") from None
    # It sets a level for each of its parts when it is loaded.
    for name in [each for each in logging.root.manager.loggerDict if each.partition(".")[0] == "distributed"]:
        logging.getLogger(name).setLevel(logging.ERROR)
    return distributed


def _client(distributed: Any, processes: int, scheduler: str | None, stack: contextlib.ExitStack) -> Any:
    try:
        if scheduler is not None:
            return distributed.Client(scheduler, timeout=_ANSWER)
        import dask

        # In this process: no look at its threads a hundred times a second, and at the clock only twice.
        calm = {"distributed.worker.profile.enabled": False, "distributed.admin.tick.interval": "500ms"}
        stack.enter_context(dask.config.set(calm))
        # Threads will do: each has its own process of ours at work.
        cluster = distributed.LocalCluster(
            n_workers=processes, threads_per_worker=1, processes=False, memory_limit=0, dashboard_address=None
        )
        return distributed.Client(stack.enter_context(cluster))
    except (OSError, ValueError) as error:
        raise OptionError(f"--scheduler {scheduler}: no scheduler answers there ({error}): check the address") from None
