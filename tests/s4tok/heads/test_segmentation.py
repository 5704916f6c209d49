import pytest
import torch
from torch import Tensor
from torch.nn import functional

from s4tok.heads.read import Read, highest, places
from s4tok.heads.segmentation import PointProbe, SegmentationHead
from s4tok.tokenizers.propagation import propagate
from s4tok.tokenizers.whole import mean_of_tokens
from tests.s4tok.heads.reading import clouds, read_of

WIDTHS = (16, 12, 10, 6)


def built(n_categories: int = 3, **settings: object) -> SegmentationHead:
    torch.manual_seed(0)
    return SegmentationHead(8, 5, n_categories, widths=WIDTHS, **settings)  # type: ignore[arg-type]


def slow(head: SegmentationHead, read: Read, points: Tensor, superpoints: Tensor, categories: Tensor) -> Tensor:
    """Point-MAE's order of things: carry all features to the points, put everything together, then the layers."""
    tokens = torch.cat([norm(layer) for norm, layer in zip(head.depths, read.layers, strict=True)], -1)
    carried = propagate(tokens, read.tokens, points, superpoints).features
    rows = torch.cat([carried, places(read.tokens, points)], -1)
    first = torch.cat([head.token.weight, head.place.weight], 1)
    rows = functional.linear(rows, first)
    one, two, three, four = head.norms
    rows = one(rows.flatten(0, 1)).relu()
    rows = two(head.second(rows)).relu()
    is_token = read.tokens.is_token
    assert head.category is not None
    assert head.category_norm is not None
    known = functional.leaky_relu(head.category_norm(head.category(categories)), 0.2)
    cloud = torch.cat([highest(tokens, is_token), mean_of_tokens(tokens, is_token), known], 1)
    both = torch.cat([rows, cloud.repeat_interleave(points.shape[1], 0)], 1)
    rows = functional.linear(both, torch.cat([head.third.weight, head.cloud.weight], 1))
    rows = four(head.fourth(three(rows).relu())).relu()
    return head.classes(rows).view(*points.shape[:2], -1)  # type: ignore[no-any-return]


@pytest.mark.parametrize("is_training", [True, False])
def test_it_is_point_maes_head_with_the_linear_layers_taken_apart(is_training: bool) -> None:
    read, points, superpoints = clouds()
    head, categories = built().train(is_training), torch.tensor([2, 0])
    found = head(read, points, superpoints, categories=categories)
    torch.testing.assert_close(found, slow(built().train(is_training), read, points, superpoints, categories))
    assert found.shape == (2, 30, 5)


def test_its_layers_are_as_wide_as_point_maes() -> None:
    head = SegmentationHead(384, 50, 16)
    shapes = {
        name: tuple(layer.weight.shape) for name, layer in head.named_modules() if isinstance(layer, torch.nn.Linear)
    }
    assert shapes == {
        "token": (1536, 1152), "place": (1536, 3), "second": (1024, 1536), "third": (512, 1024), "cloud": (512, 2368),
        "fourth": (256, 512), "classes": (50, 256),
    }  # fmt: skip


def test_padding_changes_nothing_and_clouds_nothing_of_each_other() -> None:
    read, points, superpoints = clouds()
    head, categories = built().eval(), torch.tensor([2, 0])
    whole = head(read, points, superpoints, categories=categories)
    padded = torch.cat([points, torch.full((2, 4, 3), torch.nan)], 1)
    is_point = torch.arange(34)[None].expand(2, -1) < 30
    found = head(read, padded, functional.pad(superpoints, (0, 4)), is_point=is_point, categories=categories)
    torch.testing.assert_close(found[:, :30], whole)
    assert not found[:, 30:].any()
    first = Read(
        tuple(each[:1] for each in read.layers), read.whole[:1], type(read.tokens)(*(each[:1] for each in read.tokens))
    )
    alone = head(first, points[:1], superpoints[:1], categories=categories[:1])
    torch.testing.assert_close(alone, whole[:1])


@pytest.mark.parametrize("nearest", [False, True])
def test_neither_size_nor_place_of_a_cloud_changes_its_labels(nearest: bool) -> None:
    read, points, superpoints = clouds()
    head = built(0, nearest=nearest).eval()
    moved = read._replace(tokens=read.tokens._replace(xyz=250 * read.tokens.xyz + 9, radius=250 * read.tokens.radius))
    torch.testing.assert_close(
        head(moved, 250 * points + 9, superpoints), head(read, points, superpoints), atol=1e-3, rtol=0
    )


def test_every_weight_has_a_gradient_and_the_tokens_too() -> None:
    read, points, superpoints = clouds()
    for layer in read.layers:
        layer.requires_grad_(True)
    head = built()
    head(read, points, superpoints, categories=torch.tensor([1, 2])).square().sum().backward()
    assert all(weight.grad is not None and weight.grad.any() for weight in head.parameters())
    assert all(layer.grad is not None and layer.grad[:, :-1].any() for layer in read.layers)
    assert all(layer.grad is not None and not layer.grad[:, -1].any() for layer in read.layers)  # it is no token


def test_dropout_is_a_function_of_the_seeds_and_only_training_has_it() -> None:
    read, points, superpoints = clouds()
    head = built(0)

    def labelled(*seeds: int) -> Tensor:
        return head(read, points, superpoints, seeds=torch.tensor(seeds))  # type: ignore[no-any-return]

    assert torch.equal(labelled(1, 2), labelled(1, 2))
    assert not torch.equal(labelled(1, 2), labelled(3, 2))
    head.eval()
    assert torch.equal(labelled(1, 2), labelled(3, 2))


def test_a_probe_gives_a_point_what_its_superpoints_tokens_say_by_hand() -> None:
    """Two tokens on a line, a superpoint each; without superpoints both speak, by inverse distance."""
    xyz = torch.tensor([[[0.0, 0, 0], [3.0, 0, 0], [9.0, 0, 0]]])
    read, points = read_of(xyz, torch.tensor([[0, 1, 2]]), width=4), torch.tensor([[[1.0, 0, 0], [3.0, 0, 0]]])
    torch.manual_seed(0)
    probe = PointProbe(4, 3)
    of_tokens = probe.classes(functional.layer_norm(read.layers[-1], (4,)))[0]
    found = probe(read, points, torch.tensor([[0, 1]]))[0]
    torch.testing.assert_close(found, of_tokens[:2])
    probe.nearest = True
    found = probe(read, points, torch.tensor([[0, 1]]))[0]
    weights = torch.tensor([1 / (1 + 1e-4), 1 / (2 + 1e-4)])
    torch.testing.assert_close(found[0], weights @ of_tokens[:2] / weights.sum())
    found.sum().backward()
    assert probe.classes.bias.grad is not None
    torch.testing.assert_close(probe.classes.bias.grad, torch.full((3,), 2.0))  # each point's weights sum to 1
