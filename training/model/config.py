"""Every setting of a training run in one place, with its reason."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, TypeVar

from training.data.synthetic import Fresh
from training.model import backend
from training.model.augmentation import Augmentation

P = TypeVar("P", bound="Plan")


class SettingError(ValueError):
    """A setting does not exist, or its value does not suit it."""


@dataclass(frozen=True)
class Plan:
    """The settings common to every training run. A plan is stored in the model's card."""

    name: str
    epochs: int
    batch: int = 128
    learning_rate: float = 3e-3  # the peak of one cycle
    warm_up: float = 0.15  # share of the steps in which the rate climbs, then a cosine to zero
    precision: str = "mixed_bfloat16"  # a Keras dtype policy: see ``for_this_machine``
    seed: int = 1
    fresh: Fresh = field(default_factory=Fresh)
    augmentation: Augmentation = field(default_factory=Augmentation)

    def for_this_machine(self: P) -> P:
        """Return the plan, in float32 unless there are bfloat16 instructions.

        With them (2 cores of an EPYC with avx512_bf16) a step takes two thirds of the time. A GPU
        has them.
        """
        fast = _has_bfloat16() or backend.has_gpu()
        return self if fast else replace(self, precision="float32")

    def at_most(self: P, limit: int) -> P:
        """Return the plan for a quick try, with at most ``limit`` fresh drawings of each kind."""
        return replace(self, fresh=self.fresh.at_most(limit))

    def changed(self: P, settings: Iterable[str]) -> P:
        """Return the plan with settings like ``epochs=60`` or ``augmentation.shift=1``.

        Raises ``SettingError`` for an unknown name or a value that does not suit it.
        """
        plan = self
        for setting in settings:
            name, _, text = setting.partition("=")
            plan = _changed(plan, name, text)
        return plan

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Recipe(Plan):
    """A new network, trained from scratch with AdamW; ``fresh`` is drawn for every epoch."""

    epochs: int = 40
    width: int = 36  # channels of the first stage: 554,879 parameters
    norm_logits: bool = False  # batch normalisation of the logits
    weight_decay: float = 0.05
    average: float = 0.999  # decay of the weights' moving average, which is kept; 0: no average
    settle: float = 0.3  # share of the steps, at the end, over which augmentation is reduced
    settled: float = 0.35  # its final strength: the last steps see digits nearly undeformed
    plain: float = 0.04  # share of the steps, at the very end, without any augmentation
    redraw: int = 2  # epochs that a set of drawings is shown in before the next one is drawn
    teachers: tuple[str, ...] = ()  # .keras files of networks whose answers it learns as well
    distillation_weight: float = 0.5  # of the teachers' answers; the labels have the rest
    distillation_temperature: float = 3.0
    fresh: Fresh = field(
        default_factory=lambda: Fresh(
            pen=2,
            unipen=2,
            letters=1,
            generated=6_000,
            nondigits=9_000,
            characters=2,
            textures=500,
            cluttered=5_000,
            photos=300,
            altered=1_500,
        )
    )
    fixed_share: float = 1.0  # of MNIST's training images that an epoch sees
    labelled_share: float = 0.1  # of an epoch: a few labels are repeated to reach it

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Recipe:
        """Return a stored recipe: the inverse of ``to_json``."""
        parts = {
            "fresh": Fresh(**stored["fresh"]),
            "augmentation": Augmentation(**stored["augmentation"]),
            "teachers": tuple(stored["teachers"]),
        }
        return cls(**{**stored, **parts})


@dataclass(frozen=True)
class Many:
    """What ``FineTuning`` becomes for many labelled drawings: see ``FineTuning.for_labels``."""

    few: int = 1_000  # up to so many labelled drawings, nothing changes
    many: int = 5_000  # from so many on, these are the values of ``FineTuning``
    labelled_share: float = 0.4
    learning_rate: float = 1.5e-3
    moved: float = 1.0
    distillation_weight: float = 2.0
    corrected: float = 0.9
    mnist: int = 24_000
    pen: int = 6_000
    generated: int = 6_000
    nondigits: int = 12_000
    augmentation: Augmentation = field(default_factory=Augmentation)


@dataclass(frozen=True)
class FineTuning(Plan):
    """A trained network, fine-tuned on labelled drawings by ``training.model.finetune`` with Adam.

    Its replay data are ``fresh``, drawn once, and some of MNIST if it is available.
    """

    epochs: int = 3
    steps: int = 250  # in an epoch; more if ``repeats`` needs them
    repeats: int = 115  # how often a run shows each labelled drawing, at least
    most_steps: int = 2_000  # in an epoch, about five minutes in all; limits ``repeats``
    least_repeats: int = 6  # even if that takes more than ``most_steps``
    labelled_share: float = 0.2  # of every batch
    learning_rate: float = 7e-4
    warm_up: float = 0.1
    moved: float = 0.7  # share of the way from the old weights to the new ones that is gone
    distillation_weight: float = 8.0  # of a replayed drawing; a labelled one weighs 1
    distillation_temperature: float = 2.0
    mnist: int = 8_000  # images of MNIST to replay
    pen: int = 3_000  # pen digits to replay, each drawn ``fresh.pen`` times
    unipen: int = 3_000  # UNIPEN digits to replay, and letters: the same
    letters: int = 1_500
    corrected: float = 0.0  # replay is learned by label where the network gives it less than this
    in_training_mode: bool = False  # whether dropout and batch normalisation work as in training
    many: Many = field(default_factory=Many)
    fresh: Fresh = field(
        default_factory=lambda: Fresh(
            pen=1,
            unipen=1,
            letters=1,
            generated=1_500,
            nondigits=3_000,
            characters=1,
            textures=200,
            photos=40,
            altered=500,
        )
    )
    # Milder than in training from scratch: the network has already seen strong deformations.
    augmentation: Augmentation = field(
        default_factory=lambda: Augmentation(
            rotation=0.1, shear=0.1, elastic=0.6, far=0.0, erased=0.05, faded=0.1
        )
    )

    def for_labels(self, count: int) -> FineTuning:
        """Return the plan for so many labelled drawings.

        A few are learned beside all that the network knows. Many are a data set of their own, with
        which the network is trained on: what it is not sure of in replay is learned by label, and
        the labelled drawings are augmented as in training from scratch. In between, numbers lie on
        the way from one to the other, by the logarithm of the number of drawings.
        """
        many = self.many
        way = math.log(max(1, count) / many.few) / math.log(many.many / many.few)
        if way <= 0:
            return self
        way = min(1.0, way)

        def between(few: float, many: float) -> float:
            return (1 - way) * few + way * many

        return replace(
            self,
            labelled_share=between(self.labelled_share, many.labelled_share),
            learning_rate=between(self.learning_rate, many.learning_rate),
            moved=between(self.moved, many.moved),
            distillation_weight=between(self.distillation_weight, many.distillation_weight),
            corrected=between(self.corrected, many.corrected),
            in_training_mode=True,
            mnist=round(between(self.mnist, many.mnist)),
            pen=round(between(self.pen, many.pen)),
            fresh=replace(
                self.fresh,
                generated=round(between(self.fresh.generated, many.generated)),
                nondigits=round(between(self.fresh.nondigits, many.nondigits)),
            ),
            augmentation=many.augmentation,
        )

    def at_most(self, limit: int) -> FineTuning:
        return replace(
            super().at_most(limit),
            mnist=min(self.mnist, limit),
            pen=min(self.pen, limit),
            unipen=min(self.unipen, limit),
            letters=min(self.letters, limit),
            steps=min(self.steps, limit),
            repeats=self.least_repeats,
        )


def _changed(settings: Any, name: str, text: str) -> Any:
    """Return a dataclass with one field read from text; a dot leads into a nested one."""
    name, _, rest = name.partition(".")
    if name not in {each.name for each in fields(settings)}:
        raise SettingError(f"{name} is no setting of {type(settings).__name__}")
    old = getattr(settings, name)
    if rest:
        return replace(settings, **{name: _changed(old, rest, text)})
    try:
        value = tuple(filter(None, text.split(","))) if old == () else type(old)(text)
        if isinstance(old, bool):
            value = {"true": True, "false": False}[text.lower()]
    except (ValueError, TypeError, KeyError):
        raise SettingError(f"{name}={text}: not a {type(old).__name__}") from None
    return replace(settings, **{name: value})


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
    plain=0.0,
    redraw=1,
    fresh=Fresh(
        pen=1,
        unipen=1,
        letters=1,
        generated=1_500,
        nondigits=3_000,
        characters=1,
        textures=200,
        cluttered=800,
        altered=500,
    ),
    fixed_share=0.4,
)
"""A model in under three minutes on two cores, to try a change or an installation."""

FINE_TUNE = FineTuning("fine-tune")
"""Fine-tuning on a few hundred labelled drawings takes under three minutes on two cores."""

RECIPES = {recipe.name: recipe for recipe in (SHIPPED, FAST)}
"""The recipes for a new network, by name."""
