import sys
from typing import Any

import pytest
import torch

from s4tok import compiled
from s4tok.tokenizers import farthest_cpu, sampling
from tests.s4tok.tokenizers.test_farthest_gpu import clouds_of, is_the_loop


@pytest.mark.parametrize("kind", ["scattered", "on a grid"])
@pytest.mark.parametrize(("n_points", "n_samples"), [(1, 3), (5, 9), (1000, 64), (8192, 40)])
def test_the_compiled_loop_chooses_what_the_other_chooses(kind: str, n_points: int, n_samples: int) -> None:
    if n_points > 1:
        assert is_the_loop(farthest_cpu.farthest, "cpu", kind, n_points, n_samples)
    else:
        xyz, weights, first = torch.zeros(1, 1, 3), torch.ones(1, 1), torch.zeros(1, dtype=torch.int64)
        chosen, is_chosen = farthest_cpu.farthest(xyz, weights, first, n_samples)
        assert is_chosen.tolist() == [[True, False, False]]
        assert not chosen.any()


def test_large_clouds_take_it_and_small_ones_do_not_import_numba(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = list[int]()

    def farthest(xyz: Any, *more: Any) -> Any:
        asked.append(xyz.shape[1])
        return sampling._farthest(xyz, *more)

    monkeypatch.setattr(farthest_cpu, "farthest", farthest)
    monkeypatch.delitem(sys.modules, "numba", raising=False)
    for n_points in (100, 8192):
        sampling.weighted_farthest_points(*clouds_of("scattered", n_points), n_samples=128)
    assert asked == [8192]
    monkeypatch.setattr(compiled, "is_compiling", lambda: False)
    sampling.weighted_farthest_points(*clouds_of("scattered", 8192), n_samples=128)
    assert asked == [8192]
