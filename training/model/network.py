"""The network."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

CLASSES = 11
"""Ten digits and "not a digit"."""

EMBEDDING = 96


def build_network(*, width: int = 32, norm_logits: bool = False) -> Any:
    """Return a new ``keras.Model``: float32 (n, 28, 28, 1) in 0-1 -> (logits, embedding).

    Convolutions in three stages of ``width``, twice and four times as many channels, batch
    normalisation after each (Ioffe and Szegedy, ICML 2015), global average pooling, and one
    hidden layer. ``logits`` is (n, 11), ``embedding`` (n, 96) of length 1. With ``norm_logits``
    the logits are batch-normalised as well.

    The first convolution is large and has no padding, as imaging leaves the border black. The time
    that this saves at 28x28 is spent on three convolutions at 6x6, where they are cheap.
    """
    import keras
    from keras import layers

    # Every layer is named: Keras' own names contain a counter, which would make the files of two
    # equal networks in one process differ.
    def convolve(x: Any, name: str, channels: int, size: int = 3, padding: str = "same") -> Any:
        x = layers.Conv2D(channels, size, padding=padding, use_bias=False, name=name)(x)
        x = layers.BatchNormalization(momentum=0.95, name=f"{name}_norm")(x)
        return layers.ReLU(name=f"{name}_relu")(x)

    image = keras.Input((28, 28, 1), name="image")
    x = convolve(image, "stage1", width, size=5, padding="valid")  # 24x24
    x = layers.MaxPooling2D(name="stage1_pool")(x)  # 12x12
    x = convolve(x, "stage2_first", 2 * width)
    x = convolve(x, "stage2_second", 2 * width)
    x = layers.MaxPooling2D(name="stage2_pool")(x)  # 6x6
    x = convolve(x, "stage3_first", 4 * width)
    x = convolve(x, "stage3_second", 4 * width)
    x = convolve(x, "stage3_third", 4 * width, padding="valid")  # 4x4
    x = layers.GlobalAveragePooling2D(name="mean")(x)
    hidden = layers.Dense(EMBEDDING, activation="relu", name="hidden")(x)
    dropped = layers.Dropout(0.3, name="dropped")(hidden)
    logits = layers.Dense(CLASSES, name="logits", dtype="float32")(dropped)
    if norm_logits:
        logits = layers.BatchNormalization(momentum=0.95, name="logits_norm", dtype="float32")(
            logits
        )
    embedding = layers.UnitNormalization(name="embedding", dtype="float32")(hidden)
    return keras.Model(image, {"logits": logits, "embedding": embedding}, name="digits")


def in_precision(model: Any, policy: str) -> Any:
    """Return a copy of a network, with its weights, that computes by a Keras dtype policy.

    Weights stay float32. The outputs are computed in float32 whatever the policy.
    """
    import keras

    def clone(layer: Any) -> Any:
        settings = layer.get_config()
        if layer.name not in ("image", "logits", "logits_norm", "embedding"):
            settings["dtype"] = policy
        return layer.__class__.from_config(settings)

    copy = keras.models.clone_model(model, clone_function=clone)
    copy.set_weights(model.get_weights())
    return copy


def logits_of(model: Any, images: NDArray[np.uint8], batch: int = 512) -> NDArray[np.float32]:
    """Return a Keras network's logits (n, 11) for model inputs uint8 (n, 28, 28)."""
    parts = [
        np.asarray(
            model(
                images[start : start + batch, :, :, None].astype(np.float32) / 255, training=False
            )["logits"]
        )
        for start in range(0, len(images), batch)
    ]
    return np.concatenate(parts)
