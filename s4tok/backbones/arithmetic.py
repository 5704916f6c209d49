"""How what is trained computes: on a GPU in bfloat16 and TF32, each where it does no harm, and compiled by choice."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from s4tok.compiled import is_compiling_for_gpu
from s4tok.errors import MissingError


def lower(model: nn.Module, device: torch.device | str = "cuda") -> None:
    """Let every layer that attends make its matrix products in bfloat16 from here on.

    These are nearly all of a step. What stands around them stays exact: rotating points, their places in patches,
    statistics of batches and losses, where eight bits of a number are too few. A tokenizer that was trained in bfloat16
    throughout took the maximum of many equal numbers, and its weights grew without end.
    """
    for layer in _attending(model):
        lowered = torch.autocast(torch.device(device).type, torch.bfloat16)
        layer.forward = lowered(layer.forward)


def multiply_in_tf32(model: nn.Module) -> None:
    """Let a GPU multiply in TF32, with ten bits of a number, in every linear layer from here on.

    PyTorch's own switch is for all products, those that turn points and measure distances too. Here it is on while a
    linear layer computes, and `tf32` has it on for a pass backwards. Layers that attend have their bfloat16, and a CPU
    computes as before.
    """
    inner = {part for layer in _attending(model) for part in layer.modules()}
    linear: list[nn.Module] = [layer for layer in model.modules() if type(layer) is nn.Linear]
    for layer in linear:
        if layer not in inner:
            layer.forward = tf32()(layer.forward)


@contextmanager
def tf32(is_on: bool = True) -> Iterator[None]:
    """Multiply float32 in TF32 on a GPU while this lasts."""
    before = torch.backends.cuda.matmul.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = is_on or before
    try:
        yield
    finally:
        torch.backends.cuda.matmul.allow_tf32 = before


def check_compiler(device: torch.device | str = "cpu") -> None:
    """Raise MissingError where `compile_layers` has no compiler."""
    on_gpu = torch.device(device).type == "cuda"
    if not (is_compiling_for_gpu() if on_gpu else shutil.which(os.environ.get("CXX", "g++"))):
        needed = "Triton and a C compiler" if on_gpu else "a C++ compiler (g++, or what CXX names)"
        raise MissingError(f"--compile needs {needed}.", "install it, or leave --compile out.")


def compile_layers(model: nn.Module) -> None:
    """Let PyTorch compile every layer that attends, when it first computes; like layers share what is compiled.

    The rest stays as it is: its shapes depend on the points, and it would be compiled again and again. `lower` comes
    after: of what is around a layer a compiler sees each as another.
    """
    for layer in _attending(model):
        layer.forward = torch.compile(layer.forward)


def _attending(model: nn.Module) -> Iterator[nn.Module]:
    """Find the layers of transformers."""
    for layer in model.modules():
        if any(isinstance(part, nn.MultiheadAttention) for part in layer.children()):
            yield layer
