import pytest
import torch

from s4tok.device import answers_at_once, pick_device, pick_devices, visible
from s4tok.errors import UsageError


def test_devices_are_named_one_by_one_and_each_must_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    assert pick_devices("cpu") == ("cpu",)
    assert pick_devices("auto") == ("cuda",)
    assert pick_devices("cuda:0,cuda:1") == ("cuda:0", "cuda:1")
    for absent in ("cuda:2", "cuda:x"):
        with pytest.raises(UsageError, match=f"there is no {absent}; this machine has 2 GPUs"):
            pick_devices(f"cuda:0,{absent}")
    with pytest.raises(UsageError, match="there is no cuda:0,cuda:1"):
        pick_device("cuda:0,cuda:1")
    with pytest.raises(UsageError, match="no device is called ''"):
        pick_devices("cuda:0,")


@pytest.mark.parametrize(
    ("known", "name", "expected"),
    [("", "cuda:1", "1"), ("4,7", "cuda:1", "7"), ("GPU-a, GPU-b", "cuda:1", "GPU-b"), ("3", "cuda", "3")],
)
def test_a_process_is_shown_the_gpu_that_this_one_calls_so(
    known: str, name: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", known)
    assert visible(name) == expected


def test_a_cpu_answers_at_once_and_what_stands_for_a_gpu_does_not() -> None:
    assert answers_at_once(torch.zeros(1))
    assert not answers_at_once(torch.zeros(1, device="meta"))
