import torch
from torch.nn import functional

from s4tok.heads.classification import ClassificationHead, CloudProbe
from tests.s4tok.heads.reading import clouds


def test_a_probe_reads_the_class_token_and_the_maximum_of_the_tokens_and_its_gradient_is_known() -> None:
    read, _, _ = clouds(b=2, m=4)
    torch.manual_seed(0)
    probe = CloudProbe(8, 3)
    highest = read.layers[-1][:, :3].amax(1)  # the fourth is no token
    rows = torch.cat([functional.layer_norm(read.whole, (8,)), functional.layer_norm(highest, (8,))], 1)
    found = probe(read)
    torch.testing.assert_close(found, probe.classes(rows))
    found[:, 1].sum().backward()
    assert probe.classes.weight.grad is not None
    torch.testing.assert_close(probe.classes.weight.grad[1], rows.sum(0))
    assert not probe.classes.weight.grad[0].any()


def test_the_head_has_two_hidden_layers_and_every_weight_a_gradient() -> None:
    read, _, _ = clouds(b=4)
    head = ClassificationHead(8, 5, hidden=16)
    assert [tuple(layer.weight.shape) for layer in head.modules() if isinstance(layer, torch.nn.Linear)] == [
        (16, 16), (16, 16), (5, 16),
    ]  # fmt: skip
    head(read, seeds=torch.arange(4)).square().sum().backward()
    assert all(weight.grad is not None and weight.grad.any() for weight in head.parameters())


def test_dropout_follows_the_seeds_and_one_cloud_alone_can_be_trained_on() -> None:
    read, _, _ = clouds(b=1)
    head = ClassificationHead(8, 5, hidden=16)
    one, again, other = (head(read, seeds=torch.tensor([seed])) for seed in (1, 1, 7))
    assert torch.equal(one, again)
    assert not torch.equal(one, other)
