"""The addresses of the recognizer: the page, the API, the health checks."""

from __future__ import annotations

from django.urls import include, path, re_path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.routers import SimpleRouter

from recognizer import api, api_memory, health, views, views_feedback

router = SimpleRouter(use_regex_path=False)
router.register("predictions", api.PredictionViewSet, basename="prediction")

api_urls = [*router.urls, path("memory/", api_memory.MemoryView.as_view(), name="memory")]

urlpatterns = [
    path("", views.draw, name="draw"),
    path("predictions/<uuid:pk>/suggestion/", views_feedback.suggest, name="suggest"),
    path("memory/", views_feedback.remember, name="memory"),
    path("api/v1/", include((api_urls, "api"), namespace="api")),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path(
        "api/docs/",
        SpectacularSwaggerSplitView.as_view(url_name="schema", template_name="api/docs.html"),
        name="docs",
    ),
    re_path(r"^api/", api.UnknownAddress.as_view()),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
]
