"""The exponential moving average of a network's weights."""

from __future__ import annotations

from typing import Any


class WeightAverage:
    """An average of all of a model's weights, the statistics of batch normalisation included.

    The decay is ``min(decay, (1 + n) / (10 + n))`` after step n, so that the average is not
    dominated by the initial weights: Polyak and Juditsky, "Acceleration of stochastic
    approximation by averaging", 1992, with the warm-up of ``tf.train.ExponentialMovingAverage``.
    """

    def __init__(self, model: Any, decay: float) -> None:
        import keras

        self.decay = decay
        self.of = model.weights
        self.variables = [
            keras.Variable(weight, trainable=False, dtype=weight.dtype) for weight in self.of
        ]

    def update(self, step: Any) -> None:
        from keras import ops

        step = ops.cast(step, "float32")
        decay = ops.minimum(self.decay, (1 + step) / (10 + step))
        for average, weight in zip(self.variables, self.of, strict=True):
            average.assign(average + (1 - decay) * (weight - average))

    def values(self) -> list[Any]:
        """Return the averages in the order of ``model.get_weights()``."""
        import numpy as np

        return [np.asarray(variable) for variable in self.variables]
