"""The addresses of the pages, the API and the health checks."""

from __future__ import annotations

from django.urls import include, path, re_path
from rest_framework.routers import Route, SimpleRouter

from recognizer.api import (
    base,
    batch,
    labels,
    personalisation,
    predictions,
    preview,
    schema,
    versions,
)
from recognizer.pages import about, deletion, draw, feedback, health, metrics, public
from recognizer.pages.account import access
from recognizer.pages.account import page as account


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
    path("predictions/batch/", batch.BatchView.as_view(), name="prediction-batch"),
    path("preview/", preview.PreviewView.as_view(), name="preview"),
    path("labels/export/", labels.ExportView.as_view(), name="labels-export"),
    path("model/", versions.ModelView.as_view(), name="model"),
    path("models/", versions.ModelsView.as_view(), name="models"),
    path("memory/", personalisation.MemoryView.as_view(), name="memory"),
]

account_urls = [
    path("", account.account, name="account"),
    path("log-in/", access.log_in, name="log-in"),
    path("log-out/", access.log_out, name="log-out"),
    path("sign-up/", access.sign_up, name="sign-up"),
    path("password/", access.change_password, name="change-password"),
    path("tokens/", account.create_token, name="create-token"),
    path("tokens/<int:pk>/revoke/", account.revoke_token, name="revoke-token"),
    path("delete/", account.delete, name="delete-account"),
]

urlpatterns = [
    path("", draw.draw, name="draw"),
    path("about/", about.about, name="about"),
    path("predictions/<uuid:pk>/suggestion/", feedback.suggest, name="suggest"),
    path("predictions/<uuid:pk>/delete/", deletion.remove, name="remove"),
    path("predictions/delete/", deletion.remove_all, name="remove-all"),
    path("predictions/<uuid:pk>/link/", public.switch, name="public-link"),
    path("shared/<str:key>/", public.shared, name="shared"),
    path("shared/<str:key>/drawing.png", public.shared_image, name="shared-image"),
    path("memory/", feedback.remember, name="memory"),
    path("account/", include(account_urls)),
    path("api/v1/", include((api_urls, "api"), namespace="api")),
    path("api/schema/", schema.SchemaView.as_view(), name="schema"),
    path("api/docs/", schema.DocsView.as_view(), name="docs"),
    re_path(r"^api/", base.UnknownAddress.as_view()),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", metrics.metrics, name="metrics"),
]
