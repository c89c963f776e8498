"""One click for each thing that can be done with a model version: activate, go back, retire."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from django.contrib import messages
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

    from recognizer.admin.versions.admin import ModelVersionAdmin

Act = Callable[[ModelVersion, User], tuple[ModelVersion, str]]
"""Does something with a version; returns the one that changed and what to say of it."""


def activate(version: ModelVersion, by: User) -> tuple[ModelVersion, str]:
    """Make a version answer from now on."""
    activated = registry.activate_model(name=version.name, cause=Cause.ADMIN, by=by)
    return activated, _("“%(name)s” answers from now on.")


def retire(version: ModelVersion, by: User) -> tuple[ModelVersion, str]:
    """Take a version out of use."""
    return lifecycle.retire(version_id=version.pk), _("“%(name)s” is retired.")


def take_back(version: ModelVersion, by: User) -> tuple[ModelVersion, str]:
    """Let a retired version be activated again."""
    taken = lifecycle.restore(version_id=version.pk)
    return taken, _("“%(name)s” can be activated again.")


ACTS: dict[str, tuple[Act, StrOrPromise]] = {
    "activate": (activate, gettext_lazy("Activated.")),
    "retire": (retire, gettext_lazy("Retired.")),
    "take-back": (take_back, gettext_lazy("Taken back.")),
}


def urls(model_admin: ModelVersionAdmin) -> list[URLPattern]:
    """Return the addresses that the buttons post to."""
    view = model_admin.admin_site.admin_view
    acts = [
        path(
            f"<int:pk>/{name}/",
            view(require_POST(_act_view(model_admin, act, line))),
            name=f"recognizer_modelversion_{name.replace('-', '_')}",
        )
        for name, (act, line) in ACTS.items()
    ]
    back = path(
        "roll-back/",
        view(require_POST(_roll_back_view(model_admin))),
        name="recognizer_modelversion_roll_back",
    )
    return [*acts, back]


def _act_view(
    model_admin: ModelVersionAdmin, act: Act, line: StrOrPromise
) -> Callable[..., HttpResponse]:
    def view(request: HttpRequest, pk: int) -> HttpResponse:
        by = _allowed(model_admin, request)
        version = get_object_or_404(
            ModelVersion.objects.defer("serving", "training", "card"), pk=pk
        )
        _do(model_admin, request, lambda: act(version, by), line)
        if request.GET.get("back") == "page":
            return redirect("admin:recognizer_modelversion_change", pk)
        return redirect("admin:recognizer_modelversion_changelist")

    return view


def _roll_back_view(model_admin: ModelVersionAdmin) -> Callable[..., HttpResponse]:
    def view(request: HttpRequest) -> HttpResponse:
        by = _allowed(model_admin, request)
        said = _("Rolled back: “%(name)s” answers from now on.")
        _do(model_admin, request, lambda: (lifecycle.roll_back(by=by), said), _("Rolled back to."))
        return redirect("admin:recognizer_modelversion_changelist")

    return view


def _allowed(model_admin: ModelVersionAdmin, request: HttpRequest) -> User:
    if not model_admin.has_activate_permission(request):
        raise PermissionDenied
    assert isinstance(request.user, User)
    return request.user


def _do(
    model_admin: ModelVersionAdmin,
    request: HttpRequest,
    act: Callable[[], tuple[ModelVersion, str]],
    line: StrOrPromise,
) -> None:
    """Do it, say so, and write the line into the admin's history of the version."""
    try:
        version, said = act()
    except (registry.ActivationError, lifecycle.RetireError) as error:
        model_admin.message_user(request, str(error), messages.ERROR)
        return
    model_admin.log_change(request, version, str(line))
    model_admin.message_user(request, said % {"name": version}, messages.SUCCESS)
