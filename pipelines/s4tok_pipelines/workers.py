"""Worker processes whose death is one failed item and not the end of the run."""

import os
import signal
import sys
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from itertools import cycle, islice
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pickle import PicklingError
from types import ModuleType
from typing import Any, Generic, TypeVar

from s4tok.errors import InputError, MissingError, S4TokError, UsageError
from s4tok_pipelines.runtime import STOPPING

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Done(Generic[Item, Result]):
    """What came of an item: a result, or the reason why there is none."""

    item: Item
    result: Result | None = None
    reason: str = ""  # one sentence, where it failed


def here_or_side_by_side(
    function: Callable[[str], Result], keys: Sequence[str], workers: int
) -> Generator[Done[str, Result]]:
    """Apply a function to keys in this process, in order, or with `workers` other than 1 in several (0: one a core)."""
    if workers != 1:
        yield from side_by_side(function, keys, min(workers or cores(), max(len(keys), 1)))
        return
    for key in keys:
        try:
            yield Done(key, function(key))
        except InputError as error:
            yield Done(key, reason=error.with_hint)


def side_by_side(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    workers: int = 1,
    threads: int = 1,
    gpus: Sequence[str] = (),
) -> Generator[Done[Item, Result]]:
    """Apply a function to items in processes of their own, and hand results on in the order in which they come.

    Native code can end its process: that is a failed item here, with the signal's name, and a fresh worker takes
    over. An error that every further item would meet too (a missing package, a wrong setting) is raised.

    Args:
        function: Importable by name, as are those pickle knows; a `functools.partial` of one will do.
        items: What can be pickled; each is taken when a worker is free for it.
        workers: Processes; 0 takes one a core.
        threads: How many threads native libraries may use in each.
        gpus: What each may see, in turn, as CUDA names them; all see all where there are none.
    """
    waiting = iter(items)
    seen = cycle(gpus or [None])
    team = [_Worker(function, threads, gpu) for gpu in islice(seen, workers or cores())]
    try:
        busy = [worker for worker in team if worker.start_next(waiting)]
        while busy:
            ready = wait([worker.pipe for worker in busy])
            for worker in [each for each in busy if each.pipe in ready]:
                done = worker.finish()
                if not worker.start_next(waiting):
                    busy.remove(worker)
                yield done
    finally:
        for worker in team:
            worker.stop()


def cores() -> int:
    """Count the cores this process may use, which on a cluster are fewer than the machine has."""
    return len(os.sched_getaffinity(0))


class _Worker:
    """One process and the pipe to it; started when there is something to do, and again after it has died."""

    def __init__(self, function: Callable[[Any], Any], threads: int, gpu: str | None) -> None:
        self.function, self.threads, self.gpu = function, threads, gpu
        self.process: SpawnProcess | None = None
        self.pipe: Connection
        self.item: Any = None

    def start_next(self, waiting: Iterator[Any]) -> bool:
        """Give it the next item, if there is one."""
        for item in waiting:
            self.item = item
            if self.process is None:
                self._begin()
            with suppress(BrokenPipeError):  # it has died since; `finish` will say so
                self.pipe.send(item)
            return True
        return False

    def _begin(self) -> None:
        context = get_context("spawn")  # a fork would copy locks that the parent's native threads hold
        self.pipe, theirs = context.Pipe()
        make = partial(context.Process, target=_serve, args=(theirs, self.function, self.gpu), daemon=True)
        self.process = make()
        with _limited_to(self.threads):
            try:
                with _without_main():
                    self.process.start()
            except PicklingError:  # what it works with is of the script itself
                self.process = make()
                self.process.start()
        theirs.close()

    def finish(self) -> Done[Any, Any]:
        """Collect what came of its item."""
        try:
            result, error = self.pipe.recv()
        except (EOFError, ConnectionResetError):
            return Done(self.item, reason=f"{self._exit_reason()}.")
        if isinstance(error, MissingError | UsageError):
            raise error
        if isinstance(error, S4TokError | OSError):
            return Done(self.item, reason=error.with_hint if isinstance(error, S4TokError) else str(error))
        if error is not None:
            return Done(self.item, reason=f"{type(error).__name__}: {error}")
        return Done(self.item, result)

    def _exit_reason(self) -> str:
        assert self.process is not None
        self.process.join()
        code = self.process.exitcode or 0
        self.stop()
        if code >= 0:
            return f"its worker process ended with exit code {code}"
        name = signal.Signals(-code).name
        return f"its worker process was ended by {name}" + (", perhaps for want of memory" if name == "SIGKILL" else "")

    def stop(self) -> None:
        """End the process, whatever it does."""
        if self.process is not None:
            self.pipe.close()
            self.process.kill()
            self.process.join()
            self.process = None


@contextmanager
def _without_main() -> Iterator[None]:
    """Keep a new process from importing the script that this one runs.

    It seldom needs any of it, and a script that starts work where it is imported would start it there again.
    """
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


@contextmanager
def _limited_to(threads: int) -> Iterator[None]:
    """Let processes that begin compute in so many threads: they import what computes before they can be told."""
    before = {variable: os.environ.get(variable) for variable in THREADS}
    os.environ.update(dict.fromkeys(THREADS, str(threads)))
    try:
        yield
    finally:
        for variable, value in before.items():
            if value is None:
                del os.environ[variable]
            else:
                os.environ[variable] = value


def _serve(pipe: Connection, function: Callable[[Any], Any], gpu: str | None) -> None:
    # The parent decides when to stop: a Ctrl-C or a batch system's signal reaches the whole group.
    for each in STOPPING:
        signal.signal(each, signal.SIG_IGN)
    if gpu is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = gpu
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):  # the parent is gone, and nothing waits
        while True:
            item = pipe.recv()
            result, problem = None, None
            try:
                result = function(item)
            except Exception as error:  # it is the parent's to judge
                problem = error
            _send(pipe, result, problem)


def _send(pipe: Connection, result: Any, problem: Exception | None) -> None:
    try:
        pipe.send((result, problem))
    except (TypeError, AttributeError, ValueError) as error:  # what cannot be pickled can still be told
        pipe.send((None, RuntimeError(f"{problem or error}")))
