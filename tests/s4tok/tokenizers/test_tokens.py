import pytest
import torch

from s4tok.tokenizers import build_tokenizer
from s4tok.tokenizers.propagation import pooling
from s4tok.tokenizers.tokens import counted, where


@pytest.mark.parametrize("share", [0.0, 0.4, 1.0])
def test_places_of_a_mask_are_those_of_nonzero(share: float) -> None:
    mask = torch.rand(3, 4, 5, generator=torch.Generator().manual_seed(0)) < share
    assert torch.equal(where(mask, int(mask.sum())), mask.flatten().nonzero()[:, 0])


def test_counts_are_those_of_a_slow_twin_and_of_each_set() -> None:
    draw = torch.Generator().manual_seed(1)
    points, superpoints = torch.randn(2, 90, 3, generator=draw), torch.randint(14, (2, 90), generator=draw)
    is_point = torch.ones(2, 90, dtype=torch.bool)
    is_point[1, 9:] = False
    superpoints[1, 9:] = -1
    tokenizer = build_tokenizer("s4token", width=8, n_tokens=12, patch_size=6)
    patches = tokenizer.group(points, superpoints.clamp_min(0), is_point=is_point)
    part = patches.take(torch.tensor([[3, 1], [0, 2]]), torch.ones(2, 2, dtype=torch.bool))
    for made in counted([patches, part], superpoints, is_point, 20):
        counts = made.counts
        assert counts is not None
        assert counts.members == int(made.is_member.sum())
        assert counts.is_full == bool(made.is_token.all())
        held = [made.superpoints[cloud][made.is_token[cloud]].tolist() for cloud in range(2)]
        assert counts.most_centers == max(labels.count(label) for labels in held for label in labels)
        lost = [int(label) not in held[cloud] for cloud in range(2) for label in superpoints[cloud][is_point[cloud]]]
        assert counts.points_without_center == sum(lost) > 0
        known, asked = (pooling(made, points, superpoints, 20, is_point, None, each) for each in (counts, None))
        assert all(torch.equal(one, other) for one, other in zip(known, asked, strict=True))
    assert not counted([patches], superpoints, is_point, 20)[0].counts.is_full  # type: ignore[union-attr]
    assert patches.take(torch.tensor([[0], [0]]), torch.ones(2, 1, dtype=torch.bool)).counts is None
