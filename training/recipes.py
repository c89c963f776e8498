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
    width: int = 24  # channels of the first stage: 172,643 parameters, 0.4 ms an image served
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
FINE_TUNE = replace(SHIPPED, name="fine-tune", epochs=3, learning_rate=5e-4)
