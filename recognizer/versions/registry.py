"""Registering and activating model versions, and installing the bundled one."""

from __future__ import annotations

import logging

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from recognizer.inference import verification
from recognizer.inference.classifier import Bundle, BundleError
from recognizer.models import Activation, Cause, ModelVersion
from recognizer.versions import active as active_version
from recognizer.versions import loading

logger = logging.getLogger(__name__)


class RegistrationError(ValueError):
    """A model can't be registered."""


class ActivationError(ValueError):
    """A model version can't be activated."""


def register_model(
    *, bundle: Bundle, parent: ModelVersion | None = None, is_bundled: bool = False
) -> ModelVersion:
    """Store a model as a version that is not active yet.

    If the same bytes are stored under the same name, that version is returned. Raises
    RegistrationError if the bytes don't load, don't match their checksum, or the name is taken by
    another model. They are tried in a process of their own, which may crash; except for the
    bundled model, which came with the code.
    """
    try:
        if is_bundled:
            bundle.load()
        else:
            verification.verify(bundle)
    except BundleError as error:
        raise RegistrationError(f"The model {bundle.name} can't be registered: {error}") from error
    with transaction.atomic():
        known = ModelVersion.objects.defer("serving", "training").filter(name=bundle.name).first()
        if known is not None:
            if known.sha256 != bundle.sha256:
                raise RegistrationError(
                    f"Another model is already called {bundle.name}. Choose another name."
                )
            return known
        version = ModelVersion(
            name=bundle.name,
            serving=bundle.serving,
            training=bundle.training,
            sha256=bundle.sha256,
            card=bundle.card.to_json(),
            parent=parent,
            is_bundled=is_bundled,
        )
        version.clean_fields()
        version.save(force_insert=True)
    return version


def activate_model(
    *, name: str, cause: Cause = Cause.COMMAND, by: User | None = None
) -> ModelVersion:
    """Make a version the active one; the web processes load it within seconds.

    Raises ActivationError if there is no such version, it is retired, or its bytes don't match
    their checksum or don't load. The active version is unchanged.
    """
    with transaction.atomic():
        # The active one too: two activations at once must wait for each other.
        list(
            ModelVersion.objects.select_for_update()
            .filter(Q(name=name) | Q(is_active=True))
            .order_by("pk")
            .values_list("pk")
        )
        version = ModelVersion.objects.defer("training").filter(name=name).first()
        if version is None:
            raise ActivationError(_("There is no model version called %(name)s.") % {"name": name})
        if version.retired_at is not None:
            raise ActivationError(
                _("The model version %(name)s is retired. Restore it in the admin first.")
                % {"name": name}
            )
        try:
            loading.bundle_of(version).load()
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
        transaction.on_commit(active_version.expire)
    logger.info("Activated model version %s", name)
    return version


def install_bundled_model(bundle: Bundle) -> ModelVersion:
    """Register the model that came with the code, and activate it if nobody chose another one.

    It is activated if it is new here and the active one, if any, came with older code. A model that
    was trained here, or that somebody rolled back to, stays active. Raises RegistrationError and
    ActivationError as `register_model` and `activate_model` do.
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
