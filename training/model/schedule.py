"""The learning-rate schedule of a run."""

from __future__ import annotations

from typing import Any


def one_cycle(peak: float, warm_up: float, steps: int) -> Any:
    """Return a Keras schedule of one cycle: up to ``peak``, then a cosine to zero.

    After Smith and Topin, "Super-convergence", 2019. ``warm_up`` is the share of the steps in
    which the rate rises.
    """
    import keras

    climbing = max(1, int(warm_up * steps))
    return keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=peak / 20,
        decay_steps=max(1, steps - climbing),
        alpha=0.0,
        warmup_target=peak,
        warmup_steps=climbing,
    )
