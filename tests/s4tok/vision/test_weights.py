import socket
import time
from pathlib import Path

import pytest

from s4tok.errors import MissingError
from s4tok.vision.weights import probe, reachable
from tests.running import Run

FIND = """
import sys, time
start = time.monotonic()
from s4tok.errors import MissingError
from s4tok.vision.weights import find
try:
    find(sys.argv[1], sys.argv[2])
except MissingError as error:
    print(f"{time.monotonic() - start:.1f}|{error}|{error.hint}|{'torch' in sys.modules}")
"""


@pytest.mark.parametrize(("name", "pretrained"), [("ViT-B-16", "openai"), ("hf-hub:owner/model", "")])
def test_without_weights_and_without_a_hub_it_says_so_in_seconds_and_how_to_get_them(
    python: Run, tmp_path: Path, name: str, pretrained: str
) -> None:
    (tmp_path / "find.py").write_text(FIND)
    hub = {"HF_ENDPOINT": "http://127.0.0.1:9", "HF_HOME": str(tmp_path / "hub"), "HTTP_PROXY": "", "http_proxy": ""}
    said = python("find.py", name, pretrained, **hub)
    assert said.returncode == 0, said.stderr
    seconds, message, hint, loaded_torch = said.stdout.strip().split("|")
    assert float(seconds) < 30
    assert loaded_torch == "False"
    assert name in message
    assert "127.0.0.1" not in message + hint
    assert f"find('{name}', '{pretrained}')" in hint
    assert str(tmp_path / "hub") in hint


def test_a_hub_that_takes_no_connection_is_out_of_reach_within_its_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    constants = pytest.importorskip("huggingface_hub.constants")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    listener = socket.create_server(("127.0.0.1", 0))
    monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{listener.getsockname()[1]}")
    assert reachable()
    listener.close()
    start = time.monotonic()
    assert not reachable()
    assert time.monotonic() - start < 4
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert not reachable()


def test_a_proxy_is_asked_in_the_place_of_the_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    constants = pytest.importorskip("huggingface_hub.constants")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "ENDPOINT", "http://no-such-host.invalid")
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.getsockname()[1]}")
        assert reachable()


def test_nothing_is_asked_of_the_hub_for_weights_that_lie_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def never() -> bool:
        raise AssertionError("asked")

    monkeypatch.setattr("s4tok.vision.weights.reachable", never)
    file = tmp_path / "w.pt"
    file.touch()
    for name, pretrained in ((str(tmp_path), "openai"), (f"local-dir:{tmp_path}", ""), ("ViT-B-16", str(file))):
        probe(name, pretrained)
    probe("ViT-B-16", "")


def test_offline_by_choice_is_out_of_reach_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    constants = pytest.importorskip("huggingface_hub.constants")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(MissingError, match="cannot be reached"):
        probe("ViT-B-16", "openai")
