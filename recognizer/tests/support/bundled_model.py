"""The bundled model, which is active in every test that has a database."""

from __future__ import annotations

import json

from recognizer.inference.card import ModelCard
from recognizer.inference.classifier import BUNDLED

CARD = ModelCard.from_json(json.loads((BUNDLED / "card.json").read_text()))
NAME = CARD.name or ""
