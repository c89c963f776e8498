"""Signals: the bundled model after `migrate`; at login a visitor's drawings, and staff sessions."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in
from django.db import DEFAULT_DB_ALIAS
from django.db.models import Model
from django.db.models.signals import post_migrate
from django.http import HttpRequest
from django.utils import timezone

from recognizer.api import visitors
from recognizer.versions import registry

logger = logging.getLogger(__name__)


def connect(app: AppConfig) -> None:
    """Connect every receiver of this module; called once, when Django starts."""
    post_migrate.connect(install_bundled_model, sender=app, dispatch_uid="install_bundled_model")
    user_logged_in.connect(claim_drawings, dispatch_uid="claim_drawings")
    user_logged_in.connect(shorten_staff_session, dispatch_uid="shorten_staff_session")


def install_bundled_model(*, using: str, apps: Any = None, **kwargs: Any) -> None:
    """Register the model in `recognizer/bundled` once the tables are up to date.

    `flush` sends the signal without `apps`: it does not change the tables.
    """
    from recognizer.inference import classifier

    if using != DEFAULT_DB_ALIAS or not (apps is None or _is_up_to_date(apps)):
        return
    try:
        registry.install_bundled_model(classifier.load_bundle(classifier.BUNDLED))
    except (classifier.BundleError, registry.RegistrationError, registry.ActivationError) as error:
        # The tables are there nevertheless; /readyz says that no model is loaded.
        logger.error("The bundled model was not installed: %s", error)


def _is_up_to_date(apps: Any) -> bool:
    """Whether the tables, as migrated so far, have the columns that the code expects."""
    from recognizer.models import Activation, ModelVersion

    try:
        return all(
            _columns(apps.get_model("recognizer", model.__name__)) == _columns(model)
            for model in (ModelVersion, Activation)
        )
    except LookupError:
        return False


def _columns(model: type[Model]) -> set[str | None]:
    return {field.column for field in model._meta.local_concrete_fields}


def claim_drawings(*, request: HttpRequest | None, user: User, **kwargs: Any) -> None:
    """Give what a visitor drew before logging in to their account."""
    from recognizer.predictions import recognition

    if request is None:
        return
    visitor = visitors.visitor_of(request)
    if visitor is not None:
        recognition.claim_predictions(user=user, visitor=visitor)
        visitors.forget(request)


def shorten_staff_session(*, request: HttpRequest | None, user: User, **kwargs: Any) -> None:
    """Let staff log in again after STAFF_SESSION_AGE, however busy they were."""
    if request is not None and user.is_staff:
        ends = timezone.now() + timedelta(seconds=settings.STAFF_SESSION_AGE)
        request.session.set_expiry(ends)
