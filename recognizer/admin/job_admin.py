"""What the admin's pages of all kinds of jobs have in common: list, progress, cancelling."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from recognizer.jobs.states import JobError
from recognizer.models import Job
from recognizer.text.times import moment

AnyJob = TypeVar("AnyJob", bound=Job)

if TYPE_CHECKING:

    class BaseAdmin(admin.ModelAdmin[AnyJob]): ...

else:

    class BaseAdmin(admin.ModelAdmin, Generic[AnyJob]): ...


class Text(Protocol):
    def to_json(self) -> dict[str, Any]: ...


class JobAdmin(BaseAdmin[AnyJob]):
    """Users who may add jobs start and cancel them; users who may view them see them."""

    list_display_links = ("requested",)
    show_full_result_count = False
    actions = None

    class Media:
        css = {"all": ("recognizer/admin/admin.css", "recognizer/admin/versions.css")}

    # --- what each kind says ----------------------------------------------------------------

    def reap(self) -> object:
        """Mark jobs as interrupted whose heartbeat has stopped."""
        raise NotImplementedError

    def cancel(self, pk: uuid.UUID) -> AnyJob:
        """Cancel a job; raises JobError."""
        raise NotImplementedError

    def text_of(self, job: AnyJob) -> Text:
        raise NotImplementedError

    def jobs(self) -> QuerySet[AnyJob]:
        """The jobs with what their page shows."""
        raise NotImplementedError

    def own_pages(self) -> list[tuple[str, Callable[..., HttpResponse]]]:
        """The last part of the address of each page of one job, and its view."""
        return [("status", self.status_view), ("cancel", require_POST(self.cancel_view))]

    # --- permissions ------------------------------------------------------------------------

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_view_permission(request, obj) or self.has_add_permission(request)

    # --- the list ---------------------------------------------------------------------------

    @admin.display(description=gettext_lazy("requested"), ordering="created_at")
    def requested(self, job: AnyJob) -> str:
        return moment(job.created_at)

    @admin.display(description=gettext_lazy("status"), ordering="status")
    def status_badge(self, job: AnyJob) -> str:
        return format_html(
            '<span class="job-status {}">{}</span>', job.status, job.get_status_display()
        )

    # --- the pages --------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        pages = [
            path(
                f"<uuid:pk>/{name}/",
                self.admin_site.admin_view(view),
                name=f"recognizer_{self.opts.model_name}_{name}",
            )
            for name, view in self.own_pages()
        ]
        return [*pages, *super().get_urls()]

    def page(self, request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
        return TemplateResponse(
            request,
            f"admin/recognizer/{self.opts.model_name}/{template}",
            {**self.admin_site.each_context(request), "opts": self.opts, "media": self.media}
            | context,
        )

    def job(self, request: HttpRequest, object_id: object) -> AnyJob:
        """The job; marked as interrupted first if its heartbeat has stopped."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            pk = uuid.UUID(str(object_id))
        except ValueError:
            pk = uuid.UUID(int=0)
        self.reap()
        return get_object_or_404(self.jobs(), pk=pk)

    # --- what the page requests -------------------------------------------------------------

    def status_view(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        text = self.text_of(self.job(request, pk))
        return JsonResponse(text.to_json(), headers={"Cache-Control": "no-store"})

    def cancel_view(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        try:
            job = self.cancel(pk)
        except JobError as error:
            self.message_user(request, str(error), messages.WARNING)
        else:
            self.log_change(request, job, _("Cancelled."))
        return redirect(f"admin:recognizer_{self.opts.model_name}_change", pk)
