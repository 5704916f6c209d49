"""Counting where a GPU would be waited for, on the CPU: operations whose result has to be known to go on."""

from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from s4tok.tokenizers import grouping, tokenizer

WAITING = {"_local_scalar_dense", "is_nonzero", "nonzero", "masked_select", "_unique2", "unique_dim", "bincount"}


def behave_as_on_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the ways that avoid waiting, though a CPU answers at once."""
    for module in (grouping, tokenizer):
        monkeypatch.setattr(module, "answers_at_once", lambda tensor: False)


class Waits(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Notes every operation that makes the processor wait: a number that is read, a size that the data decide."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.seen: list[str] = []

    def __enter__(self) -> "Waits":
        self._tolist = torch.Tensor.tolist
        torch.Tensor.tolist = self._noted  # type: ignore[method-assign]
        super().__enter__()  # type: ignore[no-untyped-call]
        return self

    def __exit__(self, *raised: Any) -> None:
        super().__exit__(*raised)  # type: ignore[no-untyped-call]
        torch.Tensor.tolist = self._tolist  # type: ignore[method-assign]

    @property
    def _noted(self) -> Any:
        def tolist(tensor: torch.Tensor) -> Any:
            self.seen.append("tolist")
            return self._tolist(tensor)

        return tolist

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func.overloadpacket.__name__
        by_mask = name in ("index", "index_put", "index_put_") and any(
            index is not None and index.dtype in (torch.bool, torch.uint8) for index in args[1]
        )
        if name in WAITING or by_mask:
            self.seen.append(name)
        return func(*args, **(kwargs or {}))
