"""Put the tokenizer in front of a transformer of your own: `python examples/tokens_for_your_vit.py`."""

import torch
from torch import nn

from s4tok import build_tokenizer


def main() -> None:
    torch.manual_seed(0)
    points = torch.rand(4, 2048, 3) * 5  # four clouds in any unit, here metres
    superpoints = (points[..., 0] // 1).long() + 5 * (points[..., 2] // 1).long()  # yours, or `s4tok superpoints`

    tokenizer = build_tokenizer("s4token", width=192, n_tokens=64)
    layer = nn.TransformerEncoderLayer(192, nhead=3, batch_first=True)
    yours = nn.TransformerEncoder(layer, num_layers=4, enable_nested_tensor=False)

    tokens = tokenizer(points, superpoints)
    features = yours(tokens.tokens, src_key_padding_mask=~tokens.is_token)
    print(f"{tuple(points.shape)} points -> {tuple(tokens.tokens.shape)} tokens -> {tuple(features.shape)} features")

    # The tokenizer learns with what stands behind it; sampling and grouping have nothing to learn.
    loss = nn.functional.mse_loss(features, torch.randn_like(features))
    loss.backward()  # type: ignore[no-untyped-call]
    print(f"gradient reaches the tokenizer: {tokenizer.adapter.token.weight.grad is not None}")

    tokenizer.eval()  # from here on each cloud is read by itself
    same = tokenizer(1000 * points + 70, superpoints).tokens  # in millimetres, elsewhere
    print(f"in another unit, elsewhere: {(same - tokenizer(points, superpoints).tokens).abs().max():.1g} apart")


if __name__ == "__main__":
    main()
