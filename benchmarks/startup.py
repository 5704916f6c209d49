"""How long the command line takes to answer, as whole processes: `python benchmarks/startup.py`."""

import statistics
import subprocess
import sys
import time

COMMANDS = ("--version", "--help")
RUNS = 10


def seconds(command: str) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, "-m", "s4tok_cli", command], check=True, capture_output=True)
    return time.perf_counter() - start


def main() -> None:
    for command in COMMANDS:
        seconds(command)  # warms the file cache
        times = sorted(seconds(command) for _ in range(RUNS))
        print(f"s4tok {command}: median {statistics.median(times):.3f} s of {RUNS}, {times[0]:.3f} .. {times[-1]:.3f}")


if __name__ == "__main__":
    main()
