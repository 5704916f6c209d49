"""The toy stage as a command, stopped as all stages are: `python -m tests.torture.stage ROOT N SHARD PAUSE`."""

import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from s4tok_cache import Shard, Store
from s4tok_pipelines.runtime import Stopped, stoppable
from tests.torture.toys import STAMP, TOY, WHOLE, expected, write


def run(
    root: Path,
    n: int,
    shard: Shard = WHOLE,
    *,
    pause: float = 0.0,
    ready: Callable[[], object] = bool,
    written: Callable[[str], object] = str,
) -> int:
    """Fill the cache until done or stopped, and return the exit code; `written` hears of every entry taken in."""
    try:
        with stoppable():
            ready()
            wanted = expected(n)
            with Store.resume(root, TOY, STAMP, shard=shard) as store:
                for key in store.missing(wanted):
                    write(store, key, wanted[key])
                    written(key)
                    time.sleep(pause)
    except Stopped as stopped:
        return 130 if stopped.signal == signal.SIGINT else 143
    return 0


if __name__ == "__main__":
    sys.exit(run(Path(sys.argv[1]), int(sys.argv[2]), Shard.parse(sys.argv[3]), pause=float(sys.argv[4])))
