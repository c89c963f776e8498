"""All addresses of the site."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path
from django.views.i18n import set_language

urlpatterns = [
    path("", include("recognizer.urls")),
    path("admin/", admin.site.urls),
    path("language/", set_language, name="language"),
]
