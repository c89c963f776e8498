"""The account page: the user's API tokens, and deleting the account."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from recognizer.accounts import deletion, tokens
from recognizer.models import ApiToken
from recognizer.pages.account.forms import DeletionForm, TokenForm


@never_cache
@login_required
@require_safe
def account(request: HttpRequest) -> HttpResponse:
    return _page(request)


@never_cache
@login_required
@require_POST
def create_token(request: HttpRequest) -> HttpResponse:
    """Create a token and show it, this once: nothing else is stored of it than a hash."""
    user = _user(request)
    form = TokenForm(request, request.POST)
    if not form.is_valid():
        return _page(request, form, status=400)
    sent = form.cleaned_data
    try:
        token, key = tokens.create(
            user=user, name=sent["name"], scopes=sent["scopes"], expires_at=form.expires_at()
        )
    except tokens.TooManyTokens:
        form.add_error(None, _("You have too many tokens. Revoke one first."))
        return _page(request, form, status=400)
    return _page(request, new_token=token, new_key=key)


@login_required
@require_POST
def revoke_token(request: HttpRequest, pk: int) -> HttpResponse:
    try:
        tokens.revoke(user=_user(request), token_id=pk)
    except (ApiToken.DoesNotExist, OverflowError) as error:
        raise Http404 from error
    return redirect("account")


@sensitive_post_parameters("password")
@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest) -> HttpResponse:
    """Ask for the password, delete the account with everything that belongs to it, log out."""
    user = _user(request)
    form = DeletionForm(request, request.POST or None)
    if form.is_valid():
        try:
            deletion.delete_account(user)
        except deletion.LastAdministrator:
            form.add_error(
                None, _("This is the only account that can administer the site. Create another.")
            )
        else:
            logout(request)
            return redirect("draw")
    context = {
        "form": form,
        "title": _("Delete your account"),
        "lead": _(
            "Your drawings, your corrections and your API tokens are deleted with it. Drawings "
            "that a reviewer has labelled are anonymised and stay in the training data, and so do "
            "labels that you gave. This can’t be undone."
        ),
        "button": _("Delete the account"),
        "alarm": True,
    }
    status = 400 if form.is_bound else 200
    return render(request, "recognizer/account/form.html", context, status=status)


def _page(
    request: HttpRequest,
    form: TokenForm | None = None,
    *,
    new_token: ApiToken | None = None,
    new_key: str = "",
    status: int = 200,
) -> HttpResponse:
    user = _user(request)
    context: dict[str, Any] = {
        "form": TokenForm(request) if form is None else form,
        "tokens": tokens.of(user),
        "new_token": new_token,
        "new_key": new_key,
    }
    return render(request, "recognizer/account/page.html", context, status=status)


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user
