import re
import shutil
import subprocess
import sys
from pathlib import Path

from s4tok_cache import Fingerprint, store
from s4tok_cache.pack import pack
from tests.s4tok_cache.rooms import Fill

PAGE = Path(__file__).parents[2] / "docs" / "cache.md"


def test_the_page_reads_a_packed_file_without_s4tok(tmp_path: Path, fill: Fill) -> None:
    (snippet,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert "s4tok" not in re.sub(r'"[^"]*"', "", snippet)
    folder = fill({f"room {number}/a": Fingerprint(f"{number}.ply", 9, 9) for number in range(3)})
    shutil.move(pack(folder, settling=0).path, tmp_path / "superpoints-3f9c0a51d2be.h5")
    done = subprocess.run(
        [sys.executable, "-I", "-c", snippet], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert [line.split(" ")[:2] for line in done.stdout.splitlines()] == [["room", f"{n}/a"] for n in range(3)]


def test_the_page_says_the_limits_the_store_has() -> None:
    limits = f"{store.MOST_ENTRIES} entries, {store.MOST_BYTES >> 20} MiB or {store.MOST_SECONDS:.0f} s"
    assert limits in PAGE.read_text()
