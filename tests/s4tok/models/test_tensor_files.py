import os
from pathlib import Path

import torch
from safetensors.torch import load_file

from s4tok.models.tensor_files import write_tensors


def test_tensors_come_back_and_the_file_is_readable_by_whom_the_umask_lets(tmp_path: Path) -> None:
    tensors = {"a": torch.arange(6.0).view(2, 3).T.requires_grad_(), "b": torch.tensor([True, False])}
    before = os.umask(0o027)
    try:
        write_tensors(tmp_path / "tensors", tensors)
    finally:
        os.umask(before)
    found = load_file(tmp_path / "tensors")
    assert found.keys() == tensors.keys()
    assert all(torch.equal(found[name], each) for name, each in tensors.items())
    assert (tmp_path / "tensors").stat().st_mode & 0o777 == 0o640
