"""The learning rate of each step: a rise, then half a cosine down (Sec. 4)."""

import math

from s4tok.config import LoopConfig

LONGEST_WARMUP = 0.1  # of the whole run: ten epochs of warm-up would be all of a short one


def learning_rate(config: LoopConfig, step: int, steps: int, steps_per_epoch: int) -> float:
    """Give the rate of a step, counted from 0, of so many in all."""
    warmup = min(round(config.warmup_epochs * steps_per_epoch), int(LONGEST_WARMUP * steps))
    if step < warmup:
        return config.learning_rate * (step + 1) / (warmup + 1)
    progress = (step - warmup) / max(steps - warmup, 1)
    low, high = config.smallest_rate, config.learning_rate
    return low + (high - low) * (1 + math.cos(math.pi * progress)) / 2
