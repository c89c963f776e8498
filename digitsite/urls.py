"""All URLs of the site."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest, HttpResponseRedirect
from django.shortcuts import redirect
from django.templatetags.static import static
from django.urls import include, path
from django.views.i18n import set_language


def favicon(request: HttpRequest) -> HttpResponseRedirect:
    """Redirect to the icon, which browsers request here for responses without a page, as JSON."""
    return redirect(static("img/favicon.svg"))


urlpatterns = [
    path("", include("recognizer.urls")),
    path("admin/", admin.site.urls),
    path("favicon.ico", favicon),
    path("language/", set_language, name="language"),
]

handler400 = "recognizer.pages.errors.bad_request"
handler403 = "recognizer.pages.errors.forbidden"
handler404 = "recognizer.pages.errors.not_found"
handler500 = "recognizer.pages.errors.server_error"
