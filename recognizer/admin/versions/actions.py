"""The buttons of a model version: activate, roll back, retire, restore."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from recognizer.models import Cause, ModelVersion
from recognizer.versions import lifecycle, registry

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

Action = Callable[[ModelVersion, User], tuple[ModelVersion, str]]
"""Changes a version; returns the version that changed, and the message for the user."""


def activate(version: ModelVersion, by: User) -> tuple[ModelVersion, str]:
    activated = registry.activate_model(name=version.name, cause=Cause.ADMIN, by=by)
    return activated, _("“%(name)s” is now active.")


def retire(version: ModelVersion, by: User) -> tuple[ModelVersion, str]:
    return lifecycle.retire(version_id=version.pk), _("“%(name)s” is retired.")


def restore(version: ModelVersion, by: User) -> tuple[ModelVersion, str]:
    return lifecycle.restore(version_id=version.pk), _("“%(name)s” can be activated again.")


ACTIONS: dict[str, tuple[Action, StrOrPromise]] = {
    "activate": (activate, gettext_lazy("Activated.")),
    "retire": (retire, gettext_lazy("Retired.")),
    "take-back": (restore, gettext_lazy("Restored.")),
}
"""By the last part of its address: the action, and its line in the admin's history."""


def may_activate(request: HttpRequest) -> bool:
    return bool(request.user.is_active and getattr(request.user, "is_superuser", False))


def urls(model_admin: ModelAdmin[ModelVersion]) -> list[URLPattern]:
    view = model_admin.admin_site.admin_view
    actions = [
        path(
            f"<int:pk>/{name}/",
            view(require_POST(_action_view(model_admin, action, line))),
            name=f"recognizer_modelversion_{name.replace('-', '_')}",
        )
        for name, (action, line) in ACTIONS.items()
    ]
    roll_back = path(
        "roll-back/",
        view(require_POST(_roll_back_view(model_admin))),
        name="recognizer_modelversion_roll_back",
    )
    return [*actions, roll_back]


def _action_view(
    model_admin: ModelAdmin[ModelVersion], action: Action, line: StrOrPromise
) -> Callable[..., HttpResponse]:
    def view(request: HttpRequest, pk: int) -> HttpResponse:
        by = _allowed(request)
        version = get_object_or_404(
            ModelVersion.objects.defer("serving", "training", "card"), pk=pk
        )
        _run(model_admin, request, lambda: action(version, by), line)
        if request.GET.get("back") == "page":
            return redirect("admin:recognizer_modelversion_change", pk)
        return redirect("admin:recognizer_modelversion_changelist")

    return view


def _roll_back_view(model_admin: ModelAdmin[ModelVersion]) -> Callable[..., HttpResponse]:
    def view(request: HttpRequest) -> HttpResponse:
        by = _allowed(request)
        message = _("Rolled back: “%(name)s” is now active.")
        _run(model_admin, request, lambda: (lifecycle.roll_back(by=by), message), _("Rolled back."))
        return redirect("admin:recognizer_modelversion_changelist")

    return view


def _allowed(request: HttpRequest) -> User:
    if not may_activate(request):
        raise PermissionDenied
    assert isinstance(request.user, User)
    return request.user


def _run(
    model_admin: ModelAdmin[ModelVersion],
    request: HttpRequest,
    action: Callable[[], tuple[ModelVersion, str]],
    line: StrOrPromise,
) -> None:
    """Run an action, show its message, and add it to the admin's history."""
    try:
        version, message = action()
    except (registry.ActivationError, lifecycle.RetireError) as error:
        model_admin.message_user(request, str(error), messages.ERROR)
        return
    model_admin.log_change(request, version, str(line))
    model_admin.message_user(request, message % {"name": version}, messages.SUCCESS)
