"""Every setting of a training run in one place, with its reason."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Any

from training.augment import Augmentation
from training.datasets import Fresh


@dataclass(frozen=True)
class Recipe:
    """A training run. Everything here goes into the model's card."""

    name: str
    epochs: int = 12
    batch: int = 128
    width: int = 24  # channels of the first stage: 172,643 parameters, half a millisecond an image
    learning_rate: float = 3e-3  # the peak; AdamW, one cycle
    warm_up: float = 0.15  # share of the steps in which the rate climbs, then a cosine to zero
    weight_decay: float = 0.05
    seed: int = 1
    fresh: Fresh = field(default_factory=lambda: Fresh(pen=3, generated=15_000, nondigits=12_000))
    augmentation: Augmentation = field(default_factory=Augmentation)
    labelled_share: float = 0.1  # of an epoch: few labels are repeated until they matter

    def to_json(self) -> dict[str, Any]:
        """Return the settings for a card."""
        return asdict(self)


SHIPPED = Recipe("shipped")
FINE_TUNE = replace(
    SHIPPED,
    name="fine-tune",
    epochs=8,
    learning_rate=1e-3,
    fresh=Fresh(pen=2, generated=8_000, nondigits=8_000),
    # A network that has seen the digits bent learns the last of it from digits as they are.
    augmentation=Augmentation(
        rotation=0.08, shear=0.08, scale=0.06, shift=0.5, elastic=0.45, erased=0.03, faded=0.1
    ),
)
