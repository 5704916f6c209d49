import torch
from torch import nn

from s4tok.backbones.arithmetic import lower
from s4tok.backbones.plain_transformer import PlainTransformer
from s4tok.config import BackboneConfig
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
