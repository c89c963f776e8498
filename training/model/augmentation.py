"""Augmentation of training images, in batches and with TensorFlow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

SIDE = 28


@dataclass(frozen=True)
class Augmentation:
    """How strongly images are changed: standard deviations, or shares of the images."""

    rotation: float = 0.12  # radians, about 7 degrees
    shear: float = 0.12
    scale: float = 0.08
    shift: float = 0.6  # px: imaging has already centred the ink
    elastic: float = 0.7  # px
    far: float = 0.1  # share of the images that are rotated, sheared and scaled 2.5 times as much
    erased: float = 0.1  # share of the images that lose a small square
    faded: float = 0.2  # share with less contrast, blur or noise


FAR = 2.5


def augment(images: Any, seed: Any, amount: Augmentation, strength: Any = 1.0) -> Any:
    """Return a changed copy of a batch: float32 (n, 28, 28, 1) in 0-1; ``seed`` int32 (2,).

    ``strength`` scales deformations and shares alike; 0 changes nothing.

    Affine and elastic deformation in one bilinear resampling (the elastic one after Simard,
    Steinkraus, Platt: "Best practices for convolutional neural networks applied to visual
    document analysis", ICDAR 2003), then erased squares, weaker contrast and noise.
    """
    import tensorflow as tf

    seeds = tf.random.split(seed, 7)
    images = _warp(images, seeds[0], seeds[1], seeds[6], amount, strength)
    images = _erase(images, seeds[2], seeds[3], amount.erased * strength)
    return _fade(images, seeds[4], seeds[5], amount.faded * strength)


def _warp(
    images: Any,
    affine_seed: Any,
    elastic_seed: Any,
    far_seed: Any,
    amount: Augmentation,
    strength: Any,
) -> Any:
    import tensorflow as tf

    n = tf.shape(images)[0]
    draw = tf.random.stateless_normal((n, 7), affine_seed)
    far = tf.random.stateless_uniform((n, 1), far_seed) < amount.far * strength
    draw *= strength * tf.where(far, [[FAR] * 4 + [1.0] * 3], [[1.0] * 7])
    angle = draw[:, 0] * amount.rotation
    shear = draw[:, 1] * amount.shear
    x_scale, y_scale = tf.exp(draw[:, 2] * amount.scale), tf.exp(draw[:, 3] * amount.scale)
    cos, sin = tf.cos(angle), tf.sin(angle)
    matrix = tf.reshape(
        tf.stack([cos * x_scale, (shear - sin) * y_scale, sin * x_scale, cos * y_scale], 1),
        (n, 2, 2),
    )
    axis = tf.range(SIDE, dtype=tf.float32) - (SIDE - 1) / 2
    grid = tf.reshape(tf.stack(tf.meshgrid(axis, axis), -1), (1, SIDE * SIDE, 2))
    at = tf.linalg.matmul(tf.tile(grid, (n, 1, 1)), matrix, transpose_b=True)
    at += draw[:, None, 4:6] * amount.shift + (SIDE - 1) / 2
    # Coarse noise, enlarged smoothly, is the smoothed displacement field of the paper. Its
    # strength varies from image to image, so that many stay nearly undistorted.
    coarse = tf.random.stateless_normal((n, 6, 6, 2), elastic_seed)
    field = tf.image.resize(coarse, (SIDE, SIDE), "bicubic")
    at += tf.reshape(field, (n, SIDE * SIDE, 2)) * tf.abs(draw[:, 6, None, None]) * amount.elastic
    return _sample(images, at)


def _sample(images: Any, at: Any) -> Any:
    """Sample images at points ``at``, float32 (n, 784, 2) as (x, y), bilinearly; 0 outside."""
    import tensorflow as tf

    # A black frame of one px makes points outside black without a mask.
    padded = tf.pad(images[..., 0], ((0, 0), (1, 1), (1, 1)))
    side = SIDE + 2
    at = tf.clip_by_value(at + 1, 0.0, side - 1.001)
    whole = tf.floor(at)
    x_part, y_part = tf.unstack(at - whole, axis=-1)
    x, y = tf.unstack(tf.cast(whole, tf.int32), axis=-1)
    flat = tf.reshape(padded, (-1, side * side))
    corner = y * side + x

    def pixel(offset: int) -> Any:
        return tf.gather(flat, corner + offset, batch_dims=1)

    top = pixel(0) * (1 - x_part) + pixel(1) * x_part
    bottom = pixel(side) * (1 - x_part) + pixel(side + 1) * x_part
    return tf.reshape(top * (1 - y_part) + bottom * y_part, (-1, SIDE, SIDE, 1))


def _erase(images: Any, seed: Any, choice: Any, share: float) -> Any:
    import tensorflow as tf

    n = tf.shape(images)[0]
    corner = tf.random.stateless_uniform((n, 2, 1), seed, 2, SIDE - 6)
    axis = tf.range(SIDE, dtype=tf.float32)[None, None]
    inside = tf.cast((axis >= corner) & (axis < corner + 4), tf.float32)
    square = inside[:, 0, :, None] * inside[:, 1, None, :]
    touched = tf.cast(tf.random.stateless_uniform((n, 1, 1), choice) < share, tf.float32)
    return images * (1 - square * touched)[..., None]


def _fade(images: Any, seed: Any, choice: Any, share: float) -> Any:
    import tensorflow as tf

    n = tf.shape(images)[0]
    draw = tf.random.stateless_uniform((n, 4, 1, 1, 1), choice)
    noise = tf.random.stateless_normal(tf.shape(images), seed)
    blurred = tf.nn.avg_pool2d(images, 3, 1, "SAME")
    mix = draw[:, 1]
    changed = (images * (1 - mix) + blurred * mix) * (0.6 + 0.4 * draw[:, 2])
    changed = tf.clip_by_value(changed + noise * 0.08 * draw[:, 3], 0.0, 1.0)
    return tf.where(draw[:, 0] < share, changed, images)
