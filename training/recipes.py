"""Every setting of a training run in one place, with its reason."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from training.augment import Augmentation
from training.fresh import Fresh


@dataclass(frozen=True)
class Recipe:
    """A training run. Everything here goes into the model's card."""

    name: str
    epochs: int = 14
    batch: int = 128
    width: int = 32  # channels of the first stage: 440,363 parameters
    learning_rate: float = 3e-3  # the peak; AdamW, one cycle
    warm_up: float = 0.15  # share of the steps in which the rate climbs, then a cosine to zero
    weight_decay: float = 0.05
    settle: float = 0.3  # share of the steps, at the end, in which augmentation dies down
    settled: float = 0.35  # what is left of it: the last of it is learned from digits as they are
    precision: str = "mixed_bfloat16"  # a Keras dtype policy: see ``for_this_machine``
    seed: int = 1
    fresh: Fresh = field(
        default_factory=lambda: Fresh(
            pen=2,
            generated=6_000,
            nondigits=9_000,
            characters=2,
            textures=500,
            cluttered=5_000,
            photos=300,
            spoiled=1_500,
        )
    )
    augmentation: Augmentation = field(default_factory=Augmentation)
    fixed_share: float = 1.0  # of MNIST's training images that an epoch sees
    labelled_share: float = 0.1  # of an epoch: few labels are repeated until they matter

    def for_this_machine(self) -> Recipe:
        """Return the recipe in float32 where the processor has no bfloat16 to be fast with.

        Seen on 2 cores of an EPYC with avx512_bf16: a step takes two thirds of the time.
        """
        return self if _has_bfloat16() else replace(self, precision="float32")

    def to_json(self) -> dict[str, Any]:
        """Return the settings for a card."""
        return asdict(self)


def _has_bfloat16() -> bool:
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace")
    except OSError:
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags


SHIPPED = Recipe("shipped")

FAST = replace(
    SHIPPED,
    name="fast",
    epochs=3,
    width=16,
    fresh=Fresh(
        pen=1,
        generated=1_500,
        nondigits=3_000,
        characters=1,
        textures=200,
        cluttered=800,
        spoiled=500,
    ),
    fixed_share=0.4,
)
"""A model within three minutes on two cores, to try a change or an installation."""

FINE_TUNE = replace(
    SHIPPED,
    name="fine-tune",
    epochs=8,
    learning_rate=1e-3,
    fresh=Fresh(
        pen=2,
        generated=8_000,
        nondigits=8_000,
        characters=2,
        textures=1_000,
        cluttered=4_000,
        photos=300,
        spoiled=1_500,
    ),
    # A network that has seen the digits bent goes on with digits more as they are.
    augmentation=Augmentation(
        rotation=0.08, shear=0.08, scale=0.06, shift=0.5, elastic=0.45, erased=0.03, faded=0.1
    ),
)

RECIPES = {recipe.name: recipe for recipe in (SHIPPED, FAST, FINE_TUNE)}
