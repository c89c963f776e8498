"""The addresses of the pages, the API and the health checks."""

from __future__ import annotations

from django.urls import include, path, re_path
from rest_framework.routers import Route, SimpleRouter

from recognizer.api import base, personalisation, predictions, preview, schema
from recognizer.pages import about, deletion, draw, feedback, health


class Router(SimpleRouter):
    """Routes DELETE on a list, too: to `destroy_all`."""

    routes = [
        route._replace(mapping={**route.mapping, "delete": "destroy_all"})
        if isinstance(route, Route) and not route.detail
        else route
        for route in SimpleRouter.routes
    ]


router = Router(use_regex_path=False)
router.register("predictions", predictions.PredictionViewSet, basename="prediction")

api_urls = [
    *router.urls,
    path("preview/", preview.PreviewView.as_view(), name="preview"),
    path("memory/", personalisation.MemoryView.as_view(), name="memory"),
]

urlpatterns = [
    path("", draw.draw, name="draw"),
    path("about/", about.about, name="about"),
    path("predictions/<uuid:pk>/suggestion/", feedback.suggest, name="suggest"),
    path("predictions/<uuid:pk>/delete/", deletion.remove, name="remove"),
    path("predictions/delete/", deletion.remove_all, name="remove-all"),
    path("memory/", feedback.remember, name="memory"),
    path("api/v1/", include((api_urls, "api"), namespace="api")),
    path("api/schema/", schema.SchemaView.as_view(), name="schema"),
    path("api/docs/", schema.DocsView.as_view(), name="docs"),
    re_path(r"^api/", base.UnknownAddress.as_view()),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
]
