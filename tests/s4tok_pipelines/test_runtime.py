import signal
import sys
import time

import pytest

from s4tok_pipelines.runtime import Stopped, stoppable


class Signalling:
    """Something whose destructor a signal happens to hit."""

    def __init__(self, number: signal.Signals) -> None:
        self.number = number

    def __del__(self) -> None:
        signal.raise_signal(self.number)
        time.sleep(0)


@stoppable()
def work(number: signal.Signals) -> None:
    Signalling(number)
    for _ in range(500):
        time.sleep(0.01)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGUSR1])
def test_a_signal_that_hits_a_destructor_stops_the_work_all_the_same(number: signal.Signals) -> None:
    hook, handler = sys.unraisablehook, signal.getsignal(number)
    with pytest.raises(Stopped) as stopped:
        work(number)
    assert stopped.value.signal == number
    assert (sys.unraisablehook, signal.getsignal(number)) == (hook, handler)
