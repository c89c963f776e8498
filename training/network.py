"""The network, read from top to bottom."""

from __future__ import annotations

from typing import Any

CLASSES = 11
"""Ten digits and "not a digit"."""

EMBEDDING = 96


def build_network(*, width: int = 32) -> Any:
    """Return a new ``keras.Model``: float32 (n, 28, 28, 1) in 0-1 -> (logits, embedding).

    Six 3x3 convolutions in three stages of ``width``, twice and four times as many channels,
    batch normalisation after each (Ioffe and Szegedy, ICML 2015), the mean over the image, and
    one hidden layer. ``logits`` is (n, 11), ``embedding`` (n, 96) of length 1.
    """
    import keras
    from keras import layers

    def convolve(x: Any, channels: int) -> Any:
        x = layers.Conv2D(channels, 3, padding="same", use_bias=False)(x)
        x = layers.BatchNormalization(momentum=0.95)(x)
        return layers.ReLU()(x)

    image = keras.Input((28, 28, 1), name="image")
    x = convolve(image, width)
    x = convolve(x, width)
    x = layers.MaxPooling2D()(x)
    x = convolve(x, 2 * width)
    x = convolve(x, 2 * width)
    x = layers.MaxPooling2D()(x)
    x = convolve(x, 4 * width)
    x = convolve(x, 4 * width)
    x = layers.GlobalAveragePooling2D()(x)
    hidden = layers.Dense(EMBEDDING, activation="relu", name="hidden")(x)
    dropped = layers.Dropout(0.3)(hidden)
    logits = layers.Dense(CLASSES, name="logits", dtype="float32")(dropped)
    embedding = layers.UnitNormalization(name="embedding")(hidden)
    return keras.Model(image, {"logits": logits, "embedding": embedding}, name="digits")
