"""The addresses of the recognizer: the page, the API, the health checks."""

from __future__ import annotations

from django.urls import path

from recognizer import views

urlpatterns = [
    path("", views.draw, name="draw"),
]
