import math

import pytest

from s4tok.config import PretrainConfig
from s4tok.optim.schedule import learning_rate

CONFIG = PretrainConfig(learning_rate=1.0, smallest_rate=0.1, warmup_epochs=2)


def test_the_rate_rises_then_falls_along_a_cosine() -> None:
    rates = [learning_rate(CONFIG, step, 100, 5) for step in range(100)]
    assert rates[:10] == pytest.approx([(step + 1) / 11 for step in range(10)])
    assert rates[10] == 1.0
    assert rates[55] == pytest.approx(0.55)
    assert rates[99] == pytest.approx(0.1 + 0.45 * (1 + math.cos(math.pi * 89 / 90)))
    assert rates[10:] == sorted(rates[10:], reverse=True)


def test_the_warm_up_is_a_tenth_of_a_short_run_and_not_all_of_it() -> None:
    rates = [learning_rate(CONFIG, step, 20, 20) for step in range(20)]
    assert rates.index(max(rates)) == 2
    assert learning_rate(CONFIG, 0, 1, 1) == 1.0
