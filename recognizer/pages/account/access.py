"""Sign up, log in, log out, change the password."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth import login, views
from django.contrib.auth.forms import UserCreationForm
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from recognizer.api import logins
from recognizer.pages.account.forms import ChangePasswordForm


class LogIn(views.LoginView):
    template_name = "recognizer/account/form.html"
    redirect_authenticated_user = True
    extra_context: dict[str, Any] = {
        "title": _("Log in"),
        "lead": _("The drawings that you made in this browser move to your account."),
        "button": _("Log in"),
    }

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs, sign_up=settings.SIGN_UP)


class ChangePassword(views.PasswordChangeView):
    template_name = "recognizer/account/form.html"
    success_url = reverse_lazy("account")
    form_class = ChangePasswordForm
    extra_context: dict[str, Any] = {
        "title": _("Change your password"),
        "lead": _("Your other devices are logged out. API tokens go on working."),
        "button": _("Change the password"),
    }

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "request": self.request}


log_in = LogIn.as_view()
log_out = views.LogoutView.as_view()
change_password = ChangePassword.as_view()


@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def sign_up(request: HttpRequest) -> HttpResponse:
    """Create an account without permissions and log in; 404 unless SIGN_UP is on."""
    if not settings.SIGN_UP:
        raise Http404
    if request.user.is_authenticated:
        return redirect("account")
    form: UserCreationForm[User] = UserCreationForm(request.POST or None)
    if form.is_valid():
        try:
            logins.count_account(request)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            login(request, form.save())
            return redirect("account")
    context = {
        "form": form,
        "title": _("Create an account"),
        "lead": _("The drawings that you made in this browser move to your account."),
        "button": _("Create the account"),
    }
    status = 400 if form.is_bound else 200
    return render(request, "recognizer/account/form.html", context, status=status)
