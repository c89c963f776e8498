"""What can be done. Everything that writes goes through here, each in one transaction."""

from __future__ import annotations

import hashlib
import logging
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from recognizer import imaging, memory, selectors, serving
from recognizer.audit import audit_key
from recognizer.inference import embeddings
from recognizer.inference.classifier import Answer, Bundle, BundleError
from recognizer.models import Activation, Cause, ModelVersion, Prediction
from recognizer.models.stored import model_input as model_input
from recognizer.models.stored import stored_drawing as stored_drawing

logger = logging.getLogger(__name__)


class RegistrationError(ValueError):
    """A model can't be kept."""


class ActivationError(ValueError):
    """A model version can't be made the active one."""


@dataclass(frozen=True)
class Recognition:
    """An answer and what it was given for: the drawing, and the uint8 (28, 28) the model saw."""

    drawing: imaging.Drawing
    model_input: imaging.Pixels
    answer: Answer
    model_version: ModelVersion


def classify_bytes(data: bytes) -> Recognition:
    """Read an image file and answer; nothing is kept.

    Raises:
        imaging.ImageError: the bytes are no drawing that can be read.
        serving.NoModel: no model version can answer.
    """
    drawing = imaging.read_drawing(data)
    seen = imaging.model_input(drawing)
    current = serving.current_classifier()
    return Recognition(
        drawing=drawing,
        model_input=seen,
        answer=current.classifier.classify(seen),
        model_version=current.version,
    )


@dataclass(frozen=True)
class Preview:
    """An answer to a drawing that is not kept: what is given, and what the network said."""

    recognition: Recognition
    given: Answer
    remembered_id: UUID | None
    ink_box: imaging.InkBox

    @property
    def network(self) -> Answer:
        """The network's own answer."""
        return self.recognition.answer

    @property
    def personal(self) -> bool:
        """Whether the person's own earlier corrections decided the answer."""
        return self.remembered_id is not None

    @property
    def model_version(self) -> str:
        """The name of the model version."""
        return self.recognition.model_version.name


def preview(*, data: bytes, user: User | None, visitor: UUID | None) -> Preview:
    """Read an image file and answer as `recognise` does; nothing is kept.

    Raises:
        imaging.ImageError: the bytes are no drawing that can be read.
        serving.NoModel: no model version can answer.
    """
    found = classify_bytes(data)
    personal = memory.personal_answer(
        answer=found.answer, version=found.model_version, user=user, visitor=visitor
    )
    return Preview(
        recognition=found,
        given=found.answer if personal is None else personal.answer,
        remembered_id=None if personal is None else personal.remembered_id,
        ink_box=imaging.ink_box(found.drawing),
    )


def recognise(
    *,
    data: bytes,
    source: str,
    user: User | None,
    visitor: UUID | None,
    key: str | None = None,
) -> Prediction:
    """Read an image file, answer, and keep the drawing with its answer.

    The drawing belongs to the user, or to the visitor where there is no user. What the person has
    said of earlier drawings may decide what they are answered; the network's answer is kept too.
    A drawing that this person has sent with the same `key` already is returned as it was kept.

    Raises:
        imaging.ImageError: the bytes are no drawing that can be read; nothing is kept.
        serving.NoModel: no model version can answer; nothing is kept.
    """
    identifier = _identifier(key, user, visitor)
    if key is not None:
        known = selectors.owned_by(user, visitor).without_bytes().filter(pk=identifier).first()
        if known is not None:
            return known
    found = classify_bytes(data)
    answer = found.answer
    prediction = Prediction(
        id=identifier,
        image=found.drawing.to_png(),
        pixels_sha256=pixels_sha256(found.drawing),
        audit_key=audit_key(identifier),
        digit=answer.digit,
        confidence=answer.confidence,
        probabilities=list(answer.probabilities),
        margin=margin(answer.probabilities),
        verdict=answer.verdict.value,
        embedding=embeddings.pack(answer.embedding),
        model_version=found.model_version,
        source=source,
        user=user,
        visitor=None if user is not None else visitor,
    )
    personal = memory.personal_answer(
        answer=answer, version=found.model_version, user=user, visitor=visitor
    )
    if personal is not None:
        prediction.personal_digit = personal.answer.digit
        prediction.personal_confidence = personal.answer.confidence
        prediction.personal_probabilities = list(personal.answer.probabilities)
        prediction.personal_verdict = personal.answer.verdict.value
        prediction.remembered_id = personal.remembered_id
    prediction.clean_fields(exclude=["model_version", "user", "remembered"])
    try:
        _insert(prediction)
    except IntegrityError:
        # The same key at the same time: the other request has kept it.
        known = selectors.owned_by(user, visitor).without_bytes().filter(pk=identifier).first()
        if key is None or known is None:
            raise
        return known
    return prediction


def _insert(prediction: Prediction) -> None:
    try:
        with transaction.atomic():
            prediction.save(force_insert=True)
    except IntegrityError:
        if prediction.remembered_id is None:
            raise
        # The remembered drawing was deleted while this one was read.
        prediction.remembered_id = None
        with transaction.atomic():
            prediction.save(force_insert=True)


def _identifier(key: str | None, user: User | None, visitor: UUID | None) -> UUID:
    """Return a new id, or with a key the one that this person's drawing with that key has."""
    if key is None:
        return uuid.uuid4()
    person = f"user {user.pk}" if user is not None else f"visitor {visitor}"
    digest = salted_hmac("recognizer.idempotency", f"{person} {key}", algorithm="sha256").digest()
    return UUID(bytes=digest[:16], version=4)


def pixels_sha256(drawing: imaging.Drawing) -> str:
    """Return a hash of the drawing's size and pixels, whatever file they came in."""
    height, width = drawing.pixels.shape
    return hashlib.sha256(f"{height}x{width} ".encode() + drawing.pixels.tobytes()).hexdigest()


def margin(probabilities: Sequence[float]) -> float:
    """Return how far the likeliest of the digits is ahead of the second likeliest, 0-1."""
    second, first = sorted(probabilities)[-2:]
    return min(1.0, max(0.0, first - second))


def claim_predictions(*, user: User, visitor: UUID) -> int:
    """Hand a visitor's drawings, and what is remembered of them, to the account they have logged
    in to; return how many drawings.
    """
    with transaction.atomic():
        # The drawings first: a suggestion that is being made holds one until it is remembered.
        count = Prediction.objects.filter(visitor=visitor).update(user=user, visitor=None)
        memory.claim(user=user, visitor=visitor)
    return count


# Model versions -------------------------------------------------------------------------------


def register_model(
    *, bundle: Bundle, parent: ModelVersion | None = None, is_bundled: bool = False
) -> ModelVersion:
    """Keep a model as a version, not active yet.

    The same bytes under the same name are kept once: the version that is there is returned.

    Raises:
        RegistrationError: the bytes don't load, don't match their checksum, or the name is taken
            by another model.
    """
    try:
        bundle.verify()
    except BundleError as error:
        raise RegistrationError(f"The model {bundle.name} can't be kept: {error}") from error
    with transaction.atomic():
        known = ModelVersion.objects.defer("serving", "training").filter(name=bundle.name).first()
        if known is not None:
            if known.sha256 != bundle.sha256:
                raise RegistrationError(
                    f"Another model is called {bundle.name} already. Choose another name."
                )
            return known
        version = ModelVersion(
            name=bundle.name,
            serving=bundle.serving,
            training=bundle.training,
            sha256=bundle.sha256,
            card=dict(bundle.card),
            parent=parent,
            is_bundled=is_bundled,
        )
        version.clean_fields()
        version.save(force_insert=True)
    return version


def activate_model(
    *, name: str, cause: Cause = Cause.COMMAND, by: User | None = None
) -> ModelVersion:
    """Make a version the one that answers; the web processes follow within seconds.

    Raises:
        ActivationError: there is no such version, it is retired, or its bytes don't match their
            checksum or don't load. The version that was active stays so.
    """
    with transaction.atomic():
        # The active one too: two activations at once must wait for each other.
        list(
            ModelVersion.objects.select_for_update()
            .filter(Q(name=name) | Q(is_active=True))
            .order_by("pk")
            .values_list("pk")
        )
        version = ModelVersion.objects.filter(name=name).first()
        if version is None:
            raise ActivationError(_("There is no model version called %(name)s.") % {"name": name})
        if version.retired_at is not None:
            raise ActivationError(
                _(
                    "The model version %(name)s is retired. Take it back into use in the admin "
                    "first."
                )
                % {"name": name}
            )
        try:
            serving.bundle_of(version).verify()
        except BundleError as error:
            raise ActivationError(
                _("The model version %(name)s can't be activated: %(error)s")
                % {"name": name, "error": error}
            ) from error
        ModelVersion.objects.filter(is_active=True).exclude(pk=version.pk).update(is_active=False)
        if not version.is_active:
            version.is_active = True
            version.activated_at = timezone.now()
            version.save(update_fields=["is_active", "activated_at"])
            Activation.objects.create(version=version, cause=cause, by=by, at=version.activated_at)
        transaction.on_commit(serving.expire)
    logger.info("Activated model version %s", name)
    return version


def install_bundled_model(bundle: Bundle) -> ModelVersion:
    """Register the model that came with the code, and activate it unless a better right stands.

    It is activated when it is new here and either none is active or the active one came with
    older code. A model trained here, or one that somebody chose to go back to, stays.

    Raises:
        RegistrationError, ActivationError: as `register_model` and `activate_model`.
    """
    with transaction.atomic():
        known = (
            ModelVersion.objects.defer("serving", "training")
            .filter(sha256=bundle.sha256, is_bundled=True)
            .first()
        )
        active = ModelVersion.objects.filter(is_active=True).only("is_bundled").first()
        version = known or register_model(bundle=_with_free_name(bundle), is_bundled=True)
        if active is None or (known is None and active.is_bundled):
            return activate_model(name=version.name, cause=Cause.INSTALLED)
    return version


def _with_free_name(bundle: Bundle) -> Bundle:
    if not ModelVersion.objects.filter(name=bundle.name).exists():
        return bundle
    return Bundle(
        name=f"{bundle.name[:80]}-{bundle.sha256[:8]}",
        serving=bundle.serving,
        training=bundle.training,
        card=bundle.card,
        sha256=bundle.sha256,
    )
