"""Sign up, log in, log out, change the password."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth import login, views
from django.contrib.auth.forms import UserCreationForm
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods


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


log_in = LogIn.as_view()
log_out = views.LogoutView.as_view()
change_password = views.PasswordChangeView.as_view(
    template_name="recognizer/account/form.html",
    success_url=reverse_lazy("account"),
    extra_context={
        "title": _("Change your password"),
        "lead": _("Your other devices are logged out. API tokens go on working."),
        "button": _("Change the password"),
    },
)


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
