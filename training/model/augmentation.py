"""Augmentation of training images, in batches and on the backend that trains the network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from training.model import backend

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
    erased_side: float = 4.0  # px, at most; at least 4
    faded: float = 0.2  # share with less contrast, blur or noise


FAR = 2.5


def augment(images: Any, seed: Any, amount: Augmentation, strength: Any = 1.0) -> Any:
    """Return a changed copy of a batch: float32 (n, 28, 28, 1) in 0-1; ``seed`` int32 (2,).

    ``strength`` scales deformations and shares alike; 0 changes nothing.

    Affine and elastic deformation in one bilinear resampling (the elastic one after Simard,
    Steinkraus, Platt: "Best practices for convolutional neural networks applied to visual
    document analysis", ICDAR 2003), then erased squares, weaker contrast and noise.
    """
    seeds = backend.split(seed, 7)
    images = _warp(images, seeds[0], seeds[1], seeds[6], amount, strength)
    images = _erase(images, seeds[2], seeds[3], amount.erased_side, amount.erased * strength)
    return _fade(images, seeds[4], seeds[5], amount.faded * strength)


def _warp(
    images: Any,
    affine_seed: Any,
    elastic_seed: Any,
    far_seed: Any,
    amount: Augmentation,
    strength: Any,
) -> Any:
    from keras import ops

    n = ops.shape(images)[0]
    draw = backend.normal((n, 7), affine_seed)
    far = backend.uniform((n, 1), far_seed) < amount.far * strength
    further = ops.convert_to_tensor([[FAR] * 4 + [1.0] * 3])
    draw *= strength * ops.where(far, further, ops.ones_like(further))
    angle = draw[:, 0] * amount.rotation
    shear = draw[:, 1] * amount.shear
    x_scale, y_scale = ops.exp(draw[:, 2] * amount.scale), ops.exp(draw[:, 3] * amount.scale)
    cos, sin = ops.cos(angle), ops.sin(angle)
    axis = ops.arange(SIDE, dtype="float32") - (SIDE - 1) / 2
    column, row = axis[None, None, :], axis[None, :, None]

    def across(x_factor: Any, y_factor: Any) -> Any:
        return x_factor[:, None, None] * column + y_factor[:, None, None] * row

    # Coarse noise, enlarged smoothly, is the smoothed displacement field of the paper. Its
    # strength varies from image to image, so that many stay nearly undistorted.
    coarse = backend.normal((n, 6, 6, 2), elastic_seed)
    field = ops.image.resize(
        coarse, (SIDE, SIDE), interpolation="bicubic", data_format="channels_last"
    )
    field *= ops.abs(draw[:, 6, None, None, None]) * amount.elastic
    moved = draw[:, 4:6, None, None] * amount.shift + (SIDE - 1) / 2
    x = across(cos * x_scale, (shear - sin) * y_scale) + moved[:, 0] + field[..., 0]
    y = across(sin * x_scale, cos * y_scale) + moved[:, 1] + field[..., 1]
    return _sample(images, x, y)


def _sample(images: Any, x: Any, y: Any) -> Any:
    """Sample images at points ``x``, ``y``, float32 (n, 28, 28), bilinearly; 0 outside."""
    from keras import ops

    # A black frame of one px makes points outside black without a mask.
    side = SIDE + 2
    flat = ops.reshape(ops.pad(images[..., 0], ((0, 0), (1, 1), (1, 1))), (-1,))
    x, y = ops.clip(x + 1, 0.0, side - 1.001), ops.clip(y + 1, 0.0, side - 1.001)
    left, top = ops.floor(x), ops.floor(y)
    x_part, y_part = x - left, y - top
    first = ops.arange(ops.shape(images)[0], dtype="int32")[:, None, None] * (side * side)
    corner = first + ops.cast(top, "int32") * side + ops.cast(left, "int32")

    def between(offset: int) -> Any:
        pixel, right = ops.take(flat, corner + offset), ops.take(flat, corner + offset + 1)
        return pixel * (1 - x_part) + right * x_part

    return (between(0) * (1 - y_part) + between(side) * y_part)[..., None]


def _erase(images: Any, seed: Any, choice: Any, largest: float, share: Any) -> Any:
    from keras import ops

    n = ops.shape(images)[0]
    draw = backend.uniform((n, 2, 1), choice)
    length = 4 + draw[:, 1:] * (largest - 4)
    corner = 2 + backend.uniform((n, 2, 1), seed) * (SIDE - 4 - length)
    axis = ops.arange(SIDE, dtype="float32")[None, None]
    inside = ops.cast((axis >= corner) & (axis < corner + length), "float32")
    square = inside[:, 0, :, None] * inside[:, 1, None, :]
    touched = ops.cast(draw[:, :1] < share, "float32")
    return images * (1 - square * touched)[..., None]


def _fade(images: Any, seed: Any, choice: Any, share: Any) -> Any:
    from keras import ops

    n = ops.shape(images)[0]
    draw = backend.uniform((n, 4, 1, 1, 1), choice)
    noise = backend.normal((n, SIDE, SIDE, 1), seed)
    blurred = ops.average_pool(images, 3, 1, "same", data_format="channels_last")
    mix = draw[:, 1]
    changed = (images * (1 - mix) + blurred * mix) * (0.6 + 0.4 * draw[:, 2])
    changed = ops.clip(changed + noise * 0.08 * draw[:, 3], 0.0, 1.0)
    return ops.where(draw[:, 0] < share, changed, images)
