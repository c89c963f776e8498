"""What differs between TensorFlow and JAX, the two backends of Keras that training runs on.

TensorFlow is the default. ``KERAS_BACKEND=jax`` chooses JAX, for a machine with a GPU. The network,
its augmentation and its losses are written with ``keras.ops`` and run on both; a random seed, the
gradients and the compilation of a step are not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

Objective = Callable[..., tuple[Any, Any]]
"""Takes the arrays of a step and returns its loss, and further arrays for the caller."""


class Step(Protocol):
    """One step of a training: arrays -> what the objective returns."""

    def __call__(self, *arrays: Any) -> tuple[Any, Any]: ...

    def store(self) -> None:
        """Write the results of the steps into the variables of Keras."""


def on_jax() -> bool:
    import keras

    return bool(keras.backend.backend() == "jax")


def use_deterministic_kernels() -> None:
    """Make TensorFlow give the same results in each run. JAX does so on a processor anyway."""
    if not on_jax():
        import tensorflow as tf

        tf.config.experimental.enable_op_determinism()


def has_gpu() -> bool:
    """Whether Keras computes on a GPU."""
    if on_jax():
        import jax

        return bool(jax.default_backend() == "gpu")
    import tensorflow as tf

    return bool(tf.config.list_physical_devices("GPU"))


def split(seed: Any, count: int) -> Any:
    """Return ``count`` seeds derived from one: int32 (2,) on TensorFlow, uint32 on JAX."""
    if on_jax():
        import jax

        return jax.random.split(seed.astype("uint32"), count)
    import tensorflow as tf

    return tf.random.split(seed, count)


def normal(shape: tuple[Any, ...], seed: Any) -> Any:
    """Return standard normal numbers that depend on the seed alone, float32."""
    if on_jax():
        import jax

        return jax.random.normal(seed, shape)
    import tensorflow as tf

    return tf.random.stateless_normal(shape, seed)


def uniform(shape: tuple[Any, ...], seed: Any, low: float = 0.0, high: float = 1.0) -> Any:
    """Return uniform numbers that depend on the seed alone, float32."""
    if on_jax():
        import jax

        return jax.random.uniform(seed, shape, minval=low, maxval=high)
    import tensorflow as tf

    return tf.random.stateless_uniform(shape, seed, low, high)


def compiled_step(
    model: Any, optimizer: Any, objective: Objective, average: Any | None = None
) -> Step:
    """Return a compiled step: ``objective``, its gradients, the optimizer, and the average.

    ``average`` is a ``WeightAverage`` of the model's weights, updated after each step.
    """
    optimizer.build(model.trainable_variables)
    return (_JaxStep if on_jax() else _TensorFlowStep)(model, optimizer, objective, average)


class _TensorFlowStep:
    def __init__(self, model: Any, optimizer: Any, objective: Objective, average: Any) -> None:
        import tensorflow as tf

        def step(*arrays: Any) -> tuple[Any, Any]:
            with tf.GradientTape() as tape:
                loss, further = objective(*arrays)
            values = [variable.value for variable in model.trainable_variables]
            optimizer.apply(tape.gradient(loss, values))
            if average:
                average.update(optimizer.iterations)
            return loss, further

        self.step = tf.function(step, reduce_retracing=True)

    def __call__(self, *arrays: Any) -> tuple[Any, Any]:
        loss, further = self.step(*arrays)
        return loss, further

    def store(self) -> None:
        """Nothing to do: TensorFlow changes the variables themselves."""


class _JaxStep:
    """JAX compiles functions without side effects: the variables are arguments and results."""

    def __init__(self, model: Any, optimizer: Any, objective: Objective, average: Any) -> None:
        import jax
        import keras

        trained, kept = model.trainable_variables, model.non_trainable_variables
        rest = [*optimizer.variables, *(average.variables if average else ())]
        self.variables = [*trained, *kept, *rest]
        self.state = [variable.value for variable in self.variables]

        def losses(values: Any, state: Any, arrays: Any) -> Any:
            mapping = zip([*trained, *kept], [*values, *state], strict=True)
            with keras.StatelessScope(state_mapping=list(mapping)) as scope:
                loss, further = objective(*arrays)
            return loss, (further, [scope.get_current_value(variable) for variable in kept])

        def step(state: Any, *arrays: Any) -> Any:
            values, others = state[: len(trained)], state[len(trained) : len(trained) + len(kept)]
            differentiate = jax.value_and_grad(losses, has_aux=True)
            (loss, (further, others)), gradients = differentiate(values, others, arrays)
            state = [*values, *others, *state[len(values) + len(others) :]]
            mapping = list(zip(self.variables, state, strict=True))
            with keras.StatelessScope(state_mapping=mapping) as scope:
                optimizer.apply(gradients)
                if average:
                    average.update(optimizer.iterations)
            return [scope.get_current_value(each) for each in self.variables], loss, further

        self.step = jax.jit(step)

    def __call__(self, *arrays: Any) -> tuple[Any, Any]:
        self.state, loss, further = self.step(self.state, *arrays)
        return loss, further

    def store(self) -> None:
        for variable, value in zip(self.variables, self.state, strict=True):
            variable.assign(value)
