"""Where the blocks of a study are computed: on the cores here, or on a Dask cluster."""

from __future__ import annotations

import signal
import threading
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import Any

import numpy as np

import byhand
from byhand.errors import ByhandError, needs_extra
from byhand.study.plan import Plan, count
from byhand.study.runs import train_block

with needs_extra("study"):
    import joblib


_PATIENCE = 10  # seconds that a scheduler has to answer
_TIMED = 20_000  # samples, at most, on which the time is measured that a study will take
_FEW = 4  # tasks, of a second or less each: done before other processes have started


@contextmanager
def workers(jobs: int | None, scheduler: str | None, plan: Plan) -> Iterator[Callable[[Iterable[Any]], Iterator[Any]]]:
    """Workers that take tasks, made by `joblib.delayed`, and give results as they are finished, in any order.

    Parameters
    ----------
    jobs : int, optional
        How many processes here; by default one a core, or this one alone for a few tasks.
    scheduler : str, optional
        The address of a Dask scheduler, such as tcp://10.0.0.7:8786, whose workers do it instead.
    plan : Plan
        Whose tasks they are: the first argument of each. It goes to a cluster once, with the data in it.

    Raises
    ------
    ByhandError
        If no scheduler answers there, or it has no workers, or they cannot import this version of byhand.
    """
    if scheduler is None:
        jobs = None if jobs is None else count("jobs", jobs)
        is_short = len(list(islice(plan.blocks(), _FEW + 1))) <= _FEW
        jobs = jobs or (1 if is_short else joblib.cpu_count())
        with (
            _quiet_about_cancelling(),
            joblib.Parallel(n_jobs=jobs, return_as="generator_unordered", batch_size=1) as pool,
        ):
            with _interrupts_ignored():  # what starts now ignores Ctrl-C, too: it is for us, and we end the workers
                list(pool(joblib.delayed(int)() for _ in range(pool.n_jobs)))
            yield pool
        return
    with needs_extra("dask"):
        from distributed import Client
    try:
        client = Client(scheduler, timeout=_PATIENCE)
    except (OSError, ValueError, TimeoutError) as error:
        raise ByhandError(
            f"no Dask scheduler answers at {scheduler}: is it running, and reachable from here?"
        ) from error
    with client, warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Sending large graph", category=UserWarning)  # the data, once
        _check_workers(client, scheduler)
        # The result of a task is made again where the worker that had it died; data that is scattered would be lost.
        yield partial(_on_cluster, client, client.submit(_itself, plan, pure=False))


def _on_cluster(client: Any, plan: Any, tasks: Iterable[Any]) -> Iterator[Any]:
    from distributed import as_completed

    for done in as_completed(client.submit(task, plan, *more, pure=False) for task, (_, *more), _ in tasks):
        yield done.result()


def _itself(plan: Plan) -> Plan:
    return plan


@contextmanager
def _interrupts_ignored() -> Iterator[None]:
    """Without Ctrl-C, here and in the processes that begin meanwhile."""
    if threading.current_thread() is not threading.main_thread():  # only there can it be said
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _quiet_about_cancelling() -> Iterator[None]:
    """Without joblib's warning that tasks are cancelled when a study is stopped: that is what was asked for."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*tasks which were still being processed", category=UserWarning)
        yield


def _check_workers(client: Any, scheduler: str) -> None:
    if not client.scheduler_info()["workers"]:
        raise ByhandError(f"the Dask scheduler at {scheduler} has no workers: start some, with dask worker {scheduler}")
    try:
        versions = set(client.run(_version).values())
    except Exception as error:
        raise ByhandError(f"a Dask worker at {scheduler} cannot import byhand: install it there ({error})") from error
    if versions != {_version()}:
        found = " and ".join(sorted(versions))
        raise ByhandError(f"the Dask workers have {found}, and here is {_version()}: results could differ")


def _version() -> str:
    return f"byhand {byhand.__version__} with NumPy {np.__version__}"


def seconds_needed(plan: Plan) -> float:
    """The processor time of a study if each run goes through all its epochs.

    Measured on a first block and some samples; other ways to train are reckoned from that.
    """
    block, n, data = next(plan.blocks()), len(plan.data.x), plan.data
    part = min(n, max(_TIMED, block.way.batch_size or 0))
    some = replace(plan, data=replace(data, x=data.x[:part], y=data.y[:part]))

    def measured(epochs: int) -> float:
        start = time.process_time()
        train_block(some, block, epochs=epochs)
        return time.process_time() - start

    setup = measured(1)
    epochs, seconds = 1, 0.0
    while seconds < 0.1 and epochs < plan.epochs:
        epochs = min(4 * epochs, plan.epochs)
        seconds = max(0.0, measured(epochs) - setup)
    a_run = (setup + seconds * plan.epochs / epochs) * n / part / (block.stop - block.start)
    all_ways = sum(plan.seconds_an_epoch(way) for way in plan.ways) / plan.seconds_an_epoch(block.way)
    return a_run * all_ways * plan.n_runs / len(plan.ways)


def in_words(seconds: float) -> str:
    """A time as a person says it."""
    for unit, length in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 1.5 * length:
            return f"{seconds / length:.0f} {unit}" if seconds >= 9.5 * length else f"{seconds / length:.1f} {unit}"
    return f"{max(1, round(seconds))} seconds"
