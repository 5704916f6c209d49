"""What surrounds every stage: signals that stop it cleanly."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2)
AGAIN = 0.01  # seconds until a stop that was dropped is raised again


class Stopped(BaseException):
    """A signal asked the process to stop; open caches commit what they hold as this passes through them."""

    def __init__(self, signum: int) -> None:
        self.signal = signal.Signals(signum)
        super().__init__(f"stopped by {self.signal.name}")


@contextmanager
def stoppable() -> Iterator[None]:
    """Turn SIGINT, SIGTERM and Slurm's USR signals into `Stopped`, once.

    While the work winds down, further signals are ignored, for Slurm sends several; a second Ctrl-C is a
    person's and kills at once. `Stopped` comes again where Python has dropped it.
    """
    main_process = os.getpid()
    tell = sys.unraisablehook

    def stop(signum: int, frame: FrameType | None) -> None:
        if os.getpid() != main_process:  # a forked child inherits this handler and must die as it would have
            signal.signal(signum, signal.SIG_DFL)
            os.kill(os.getpid(), signum)
            return
        for each in STOPPING:
            signal.signal(each, signal.SIG_DFL if each == signal.SIGINT else signal.SIG_IGN)
        raise Stopped(signum)

    def dropped(unraisable: "sys.UnraisableHookArgs") -> None:
        # What is raised in a destructor or in a weak reference's callback ends there, and h5py has one for every
        # object it opens: 1 of 12 signals to a stage that wrote without a pause. What is raised in here ends here too.
        if not isinstance(unraisable.exc_value, Stopped):
            tell(unraisable)
            return
        stopped = unraisable.exc_value.signal
        signal.signal(signal.SIGALRM, lambda *alarm: stop(stopped, None))
        signal.setitimer(signal.ITIMER_REAL, AGAIN)

    sys.unraisablehook = dropped
    before = {each: signal.signal(each, stop) for each in STOPPING if signal.getsignal(each) != signal.SIG_IGN}
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        sys.unraisablehook = tell
        for each, handler in before.items():
            signal.signal(each, handler)
