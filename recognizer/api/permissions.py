"""Who may use which part of the API: the scopes of tokens, and the permissions of users."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import NotAuthenticated, PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from recognizer.models import ApiToken, Scope

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

LABEL_PERMISSION = "recognizer.label_prediction"
EXPORT_PERMISSION = "recognizer.export_prediction"

READING = frozenset({"GET", "HEAD"})


def lacks_second_factor(request: HttpRequest) -> bool:
    """Whether staff have logged in without the one-time password that STAFF_SECOND_FACTOR asks for.

    They may do what everybody may.
    """
    assert not isinstance(request.user, AnonymousUser)
    return request.user.is_staff and not admin.site.has_permission(request)


class HasScope(BasePermission):
    """A token needs the view's scope; whoever has logged in, or is a visitor, needs none.

    A view names its scope in ``scope``. Without it, reading needs the scope ``read`` and the rest
    ``predict``.
    """

    def has_permission(self, request: Request, view: APIView) -> bool:
        if isinstance(request.auth, ApiToken) and request.method != "OPTIONS":
            usual = Scope.READ if request.method in READING else Scope.PREDICT
            scope = getattr(view, "scope", None) or usual
            if scope not in request.auth.scopes:
                raise PermissionDenied(
                    _("This token lacks the scope {scope}. Create another one.").format(
                        scope=scope.value
                    ),
                    code="insufficient_scope",
                )
        return True


class _Permitted(BasePermission):
    """A user with a permission, staff or both."""

    permission: str | None = None
    staff_only = True
    message: StrOrPromise

    def has_permission(self, request: Request, view: APIView) -> bool:
        user = request.user
        if not user.is_authenticated:
            raise NotAuthenticated(_("You are logged out. Log in again."))
        # A token is a secret of its own.
        if not request.auth and lacks_second_factor(request._request):
            return False
        return (user.is_staff or not self.staff_only) and (
            self.permission is None or user.has_perm(self.permission)
        )


class IsStaff(_Permitted):
    message = _("Only staff may see all model versions.")


class MayLabel(_Permitted):
    """Staff with the permission to label, as in the admin."""

    permission = LABEL_PERMISSION
    message = _("You don't have permission to label drawings.")


class MayExport(_Permitted):
    permission = EXPORT_PERMISSION
    staff_only = False
    message = _("You don't have permission to export drawings.")
