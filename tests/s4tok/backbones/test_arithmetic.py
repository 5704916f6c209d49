import re
from functools import partial
from typing import Any

import pytest
import torch
from torch import nn
from torch._dynamo.utils import counters

from s4tok.backbones.arithmetic import check_compiler, compile_layers, lower, multiply_in_tf32, tf32
from s4tok.backbones.plain_transformer import PlainTransformer
from s4tok.compiled import is_compiling_for_gpu
from s4tok.config import BackboneConfig
from s4tok.errors import MissingError
from s4tok.tokenizers.adapter import PointNet


class Pair(nn.Module):
    """An adapter before a transformer, as what is trained has them."""

    def __init__(self) -> None:
        super().__init__()
        self.adapter = PointNet(32, widths=(16, 24, 32))
        self.transformer = PlainTransformer(BackboneConfig(layers=2, width=32, heads=2))
        self.head = nn.Linear(32, 3)

    def forward(self, points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        tokens = self.adapter(points, torch.ones(points.shape[:3], dtype=torch.bool, device=points.device))
        is_token = torch.ones(tokens.shape[:2], dtype=torch.bool, device=points.device)
        return tokens, self.head(self.transformer(tokens, is_token))


class Layers(nn.Sequential):
    """Like layers, PyTorch's own: types of ours are checked in tests, which cannot be compiled."""

    def __init__(self) -> None:
        super().__init__(*(nn.TransformerEncoderLayer(32, 2, 64, dropout=0.0, batch_first=True) for _ in range(12)))


def test_layers_of_a_transformer_are_rounded_and_all_around_them_is_exact(device: str) -> None:
    torch.manual_seed(0)
    model, points = Pair().to(device), torch.randn(2, 5, 7, 3).to(device)
    tokens, answers = model(points)
    seen = list[torch.dtype]()
    first = next(part for part in model.transformer.modules() if type(part) is nn.Linear)
    first.register_forward_hook(lambda layer, given, made: seen.append(made.dtype))
    model.adapter.token.register_forward_hook(lambda layer, given, made: seen.append(made.dtype))
    lower(model, device)
    same, rough = model(points)
    assert seen == [torch.float32, torch.bfloat16]
    assert same.dtype == rough.dtype == torch.float32
    torch.testing.assert_close(same, tokens, rtol=0, atol=0)
    assert not torch.equal(rough, answers)
    torch.testing.assert_close(rough, answers, rtol=0, atol=0.05)
    rough.sum().backward()
    assert all(weight.grad is not None and weight.grad.dtype == torch.float32 for weight in model.parameters())


def test_linear_layers_multiply_in_tf32_and_what_stands_around_them_does_not() -> None:
    model, points = Pair(), torch.randn(2, 5, 7, 3)
    tokens, answers = model(points)
    inside, around = list[bool](), list[bool]()
    for layer in (model.adapter.token, model.head, model.adapter.mix_norm):
        seen = inside if isinstance(layer, nn.Linear) else around
        compute = layer.forward

        def watched(given: torch.Tensor, compute: Any = compute, seen: list[bool] = seen) -> Any:
            seen.append(torch.backends.cuda.matmul.allow_tf32)
            return compute(given)

        layer.forward = watched  # type: ignore[method-assign,assignment]
    multiply_in_tf32(model)
    same, equal = model(points)
    assert inside == [True, True]
    assert around == [False]
    assert not torch.backends.cuda.matmul.allow_tf32
    assert torch.equal(same, tokens)  # on a CPU
    assert torch.equal(equal, answers)
    with tf32(is_on=False):
        assert not torch.backends.cuda.matmul.allow_tf32
    with tf32():
        equal.sum().backward()
        assert torch.backends.cuda.matmul.allow_tf32
    assert not torch.backends.cuda.matmul.allow_tf32


@pytest.mark.slow
def test_compiled_layers_say_the_same_and_are_compiled_once_for_all_that_are_alike(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend="aot_eager"))
    torch.compiler.reset()
    counters.clear()
    plain, model = Layers(), Layers()
    model.load_state_dict(plain.state_dict())
    compile_layers(model)
    assert model.state_dict().keys() == plain.state_dict().keys()
    lower(plain, "cpu")  # after compiling: the other way round each layer would be compiled
    lower(model, "cpu")
    for count in (5, 9, 6):  # as many tokens as there happen to be
        tokens = torch.randn(2, count, 32)
        answers, compiled = plain(tokens), model(tokens)
        torch.testing.assert_close(compiled, answers)
        answers.sum().backward()
        compiled.sum().backward()
    for weight, other in zip(plain.parameters(), model.parameters(), strict=True):
        torch.testing.assert_close(weight.grad, other.grad, rtol=0.02, atol=1e-4)
    assert counters["stats"]["unique_graphs"] <= 4  # the first and the others; one count of tokens and any
    assert not counters["graph_break"]


@pytest.mark.parametrize(("device", "needed"), [("cpu", "C++"), ("cuda", "Triton")])
def test_a_compiler_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch, device: str, needed: str) -> None:
    monkeypatch.setattr("shutil.which", lambda name: f"/bin/{name}")
    check_compiler("cpu")
    monkeypatch.setattr("shutil.which", lambda name: None)
    is_compiling_for_gpu.cache_clear()
    with pytest.raises(MissingError, match=re.escape(needed)):
        check_compiler(device)
    is_compiling_for_gpu.cache_clear()
