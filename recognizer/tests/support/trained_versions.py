"""Versions that learned labels, with the card that a training would write; they can't answer."""

from __future__ import annotations

import numpy as np

from recognizer.inference.card import DataSource, ModelCard
from recognizer.models import ModelVersion
from recognizer.tests.support.reviewing import make_version
from training.evaluation import gate


def trained(name: str, *, labels: int, mistakes: int, before: int, of: int = 200) -> ModelVersion:
    """A version that learned ``labels`` and makes so many mistakes on ``of`` held-out drawings."""
    decision = gate.decide(
        {"labelled": np.arange(of) >= mistakes}, {"labelled": np.arange(of) >= before}
    )
    card = ModelCard(data={"labelled": DataSource(labels, of)}, gate=decision)
    return make_version(name, card=card.to_json())
