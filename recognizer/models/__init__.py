"""The database: drawings with predictions and labels, model versions, training jobs.

It is the only state of the site: drawings and models are stored in its rows.
"""

from recognizer.models.answers import (
    DIGITS,
    NOT_SENT,
    NUMBER,
    Label,
    Source,
    Verdict,
    answer_columns,
    brief_columns,
    number_columns,
    parts_json,
    personal_columns,
    validate_embedding,
    validate_number,
    validate_probabilities,
)
from recognizer.models.jobs import (
    UNFINISHED,
    ImportFile,
    ImportJob,
    Job,
    JobStatus,
    TrainingJob,
    Worker,
)
from recognizer.models.learning import LearnedLabels, RegressionJob, StyleReport
from recognizer.models.owner import Owner
from recognizer.models.personalisation import MemorySwitchedOff, RememberedDrawing
from recognizer.models.predictions import Prediction, PredictionQuerySet
from recognizer.models.public_links import PublicLink
from recognizer.models.review import (
    NOTE_LENGTH,
    LabelEvent,
    ReviewClaim,
    ReviewNote,
    ReviewSkip,
    Via,
    label_text,
)
from recognizer.models.second_looks import LabelCheck, Opinion, OpinionKind, SuspectLabel
from recognizer.models.tokens import ApiToken, Scope
from recognizer.models.versions import Activation, Cause, ModelVersion, VersionAnswer

__all__ = [
    "DIGITS",
    "NOTE_LENGTH",
    "NOT_SENT",
    "NUMBER",
    "UNFINISHED",
    "Activation",
    "ApiToken",
    "Cause",
    "ImportFile",
    "ImportJob",
    "Job",
    "JobStatus",
    "Label",
    "LabelCheck",
    "LabelEvent",
    "LearnedLabels",
    "MemorySwitchedOff",
    "ModelVersion",
    "Opinion",
    "OpinionKind",
    "Owner",
    "Prediction",
    "PredictionQuerySet",
    "PublicLink",
    "RegressionJob",
    "RememberedDrawing",
    "ReviewClaim",
    "ReviewNote",
    "ReviewSkip",
    "Scope",
    "Source",
    "StyleReport",
    "SuspectLabel",
    "TrainingJob",
    "Verdict",
    "VersionAnswer",
    "Via",
    "Worker",
    "answer_columns",
    "brief_columns",
    "label_text",
    "number_columns",
    "parts_json",
    "personal_columns",
    "validate_embedding",
    "validate_number",
    "validate_probabilities",
]
