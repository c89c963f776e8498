"""Model versions after training: roll-back, retiring, restoring, and the tree of versions."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from recognizer.models import Activation, Cause, ModelVersion
from recognizer.versions import registry

LOOK_BACK = 500
"""How many activations are searched for the previous version."""


class RetireError(ValueError):
    """A model version can't be retired or restored."""


def history() -> QuerySet[Activation]:
    """Return when, why and by which account each version was activated, the latest first."""
    return Activation.objects.select_related("version", "by").only(
        "at", "cause", "version__name", "by__username"
    )


def previous_version() -> ModelVersion | None:
    """Return the version to roll back to, without its bytes; None if there is none.

    It works like undo: after A, B and C, the first roll-back leads to B and the second to A, not
    to C again. Retired versions are skipped.
    """
    path: list[int] = []
    recent = list(Activation.objects.values_list("version_id", "cause")[:LOOK_BACK])
    for version_id, cause in reversed(recent):
        if cause == Cause.ROLL_BACK and version_id in path:
            while path[-1] != version_id:
                path.pop()
        else:
            path.append(version_id)
    available = (
        ModelVersion.objects.filter(pk__in=path, is_active=False, retired_at__isnull=True)
        .defer("serving", "training", "card")
        .in_bulk()
    )
    return next((available[pk] for pk in reversed(path) if pk in available), None)


def active_before(version: ModelVersion) -> ModelVersion | None:
    """Return the version that was active when this one was trained, else the one it was trained
    from; without its bytes. None if there is neither.
    """
    before = (
        Activation.objects.filter(at__lt=version.created_at)
        .exclude(version=version)
        .values_list("version_id", flat=True)
        .first()
    )
    pk = before or version.parent_id
    versions = ModelVersion.objects.defer("serving", "training", "card")
    return None if pk is None else versions.filter(pk=pk).first()


def roll_back(*, by: User | None) -> ModelVersion:
    """Activate the previous version, and return it.

    Raises registry.ActivationError if there is none, or it does not load. The active version is
    unchanged.
    """
    with transaction.atomic():
        previous = previous_version()
        if previous is None:
            raise registry.ActivationError(_("There is no earlier version to roll back to."))
        return registry.activate_model(name=previous.name, cause=Cause.ROLL_BACK, by=by)


def retire(*, version_id: int) -> ModelVersion:
    """Retire a version: its predictions keep it, but it can't be activated.

    Raises RetireError if it is active, or there is no such version.
    """
    with transaction.atomic():
        version = _locked(version_id)
        if version.is_active:
            raise RetireError(
                _("The model version %(name)s is active. Activate another one first.")
                % {"name": version.name}
            )
        if version.retired_at is None:
            version.retired_at = timezone.now()
            version.save(update_fields=["retired_at"])
    return version


def restore(*, version_id: int) -> ModelVersion:
    """Let a retired version be activated again; raises RetireError if there is no such version."""
    with transaction.atomic():
        version = _locked(version_id)
        version.retired_at = None
        version.save(update_fields=["retired_at"])
    return version


def _locked(version_id: int) -> ModelVersion:
    version = (
        ModelVersion.objects.select_for_update()
        .defer("serving", "training", "card")
        .filter(pk=version_id)
        .first()
    )
    if version is None:
        raise RetireError(_("This model version was deleted."))
    return version


@dataclass(frozen=True)
class Relative:
    """A version in the tree of versions trained from one another.

    ``depth`` is the number of forks above it: an only child has the depth of its parent.
    """

    version: ModelVersion
    parent: ModelVersion | None
    depth: int


def family(version: ModelVersion) -> list[Relative]:
    """Return the tree that a version belongs to, parents before children, without bytes."""
    everyone = {
        each.pk: each
        for each in ModelVersion.objects.defer("serving", "training", "card").order_by(
            "-created_at", "-pk"
        )
    }
    children: dict[int, list[ModelVersion]] = {}
    for each in everyone.values():
        if each.parent_id is not None:
            children.setdefault(each.parent_id, []).append(each)
    first = everyone[version.pk]
    while first.parent_id is not None:
        first = everyone[first.parent_id]
    found, waiting = [], [Relative(first, None, 0)]
    while waiting:
        relative = waiting.pop()
        found.append(relative)
        born = children.get(relative.version.pk, [])
        depth = relative.depth + (len(born) > 1)
        waiting += [Relative(child, relative.version, depth) for child in born]
    return found
