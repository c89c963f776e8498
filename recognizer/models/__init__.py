"""What is kept: drawings with their answers and labels, versions of the model, training jobs.

The database is the only state of the site: drawings and models live in the rows themselves.
"""

from recognizer.models.answers import (
    DIGITS,
    Label,
    Source,
    Verdict,
    validate_embedding,
    validate_probabilities,
)
from recognizer.models.jobs import UNFINISHED, JobStatus, TrainingJob
from recognizer.models.memory import MemorySwitchedOff, RememberedDrawing
from recognizer.models.predictions import Prediction, PredictionQuerySet
from recognizer.models.review import LabelEvent, ReviewClaim, ReviewSkip, Via, label_text
from recognizer.models.versions import ModelVersion, VersionAnswer

__all__ = [
    "DIGITS",
    "UNFINISHED",
    "JobStatus",
    "Label",
    "LabelEvent",
    "MemorySwitchedOff",
    "ModelVersion",
    "Prediction",
    "PredictionQuerySet",
    "RememberedDrawing",
    "ReviewClaim",
    "ReviewSkip",
    "Source",
    "TrainingJob",
    "Verdict",
    "VersionAnswer",
    "Via",
    "label_text",
    "validate_embedding",
    "validate_probabilities",
]
