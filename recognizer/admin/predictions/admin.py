"""The predictions in the admin: find, view, label and export drawings.

Only the label can be changed, and every change goes through ``labelling``, which stores who made
it and when.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import Model, Prefetch, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from recognizer import imaging
from recognizer.admin import images
from recognizer.admin.insights import page as insights_page
from recognizer.admin.predictions import changed_filter, downloads, filters, replay
from recognizer.admin.predictions.counting import CountingUpTo
from recognizer.admin.predictions.forms import LabelButtonsForm, LabelForm
from recognizer.admin.predictions.label_history import LabelHistoryAdmin
from recognizer.admin.review import grid as grid_page
from recognizer.admin.review import queue as queue_page
from recognizer.api.permissions import EXPORT_PERMISSION, LABEL_PERMISSION
from recognizer.labelling import labels, notes, numbers, opinions, suspects
from recognizer.models import Label, ModelVersion, Prediction, Verdict
from recognizer.text import answers as answer_text
from recognizer.text.times import moment
from recognizer.versions.active import NoModel

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

Render = Callable[[Prediction], bytes]
Action = Callable[["PredictionAdmin", HttpRequest, QuerySet[Prediction]], HttpResponseBase | None]

# Seconds. A drawing never changes, but a reviewer's browser should not keep it forever.
IMAGE_MAX_AGE = 3600
# As in Django's admin.
NOTHING = "-"


def reviewer(request: HttpRequest) -> User:
    """The user of a request that the admin has accepted."""
    assert isinstance(request.user, User)
    return request.user


def label_action(label: Label) -> Action:
    @admin.action(
        description=gettext_lazy("Not a digit")
        if label is Label.NOT_A_DIGIT
        else format_lazy(gettext_lazy("Label as {}"), label.label),
        permissions=["label"],
    )
    def action(
        modeladmin: PredictionAdmin, request: HttpRequest, queryset: QuerySet[Prediction]
    ) -> None:
        modeladmin.set_label(request, queryset, label)

    action.__name__ = f"label_{label.name.lower()}"
    return action


class PredictionAdmin(LabelHistoryAdmin):
    form = LabelButtonsForm
    list_display = (
        "thumbnail",
        "answer",
        "percent",
        "verdict_badge",
        "personal_text",
        "suggestion_text",
        "label",
        "outcome",
        "version",
        "drawn",
    )
    list_editable = ("label",)
    list_filter = (
        filters.LabelledFilter,
        filters.AuditedFilter,
        filters.OutcomeFilter,
        filters.AnswerFilter,
        filters.DigitFilter,
        filters.LabelFilter,
        filters.FlaggedFilter,
        filters.VerdictFilter,
        filters.ConfidenceFilter,
        ("created_at", admin.DateFieldListFilter),
        filters.SourceFilter,
        filters.ModelVersionFilter,
        changed_filter.ChangedFilter,
    )
    list_per_page = 50
    list_max_show_all = 200
    paginator = CountingUpTo
    search_fields = ("id",)
    search_help_text = gettext_lazy("ID or its beginning")
    show_full_result_count = False
    fields = (
        "label",
        "number_label",
        "labelled",
        "second_look",
        "digit",
        "percent",
        "verdict",
        "personal_answer",
        "number",
        "number_suggestion",
        "suggestion_text",
        "version",
        "source",
        "owner",
        "note_text",
        "created_at",
        "id",
    )
    readonly_fields = fields[2:]
    actions = (
        "confirm",
        *(label_action(label) for label in Label),
        "clear_label",
        *downloads.actions(),
    )

    class Media:
        css = {"all": ("recognizer/admin/admin.css",)}

    # --- permissions ------------------------------------------------------------------------

    def has_label_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(LABEL_PERMISSION)

    def has_export_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(EXPORT_PERMISSION)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # The label is all that can be changed here.
        return self.has_label_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_view_permission(request, obj) or self.has_label_permission(request)

    # --- the list ---------------------------------------------------------------------------

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The list with a short title: Django's is too long in some languages."""
        # Without the sidebar all columns fit on a small desktop.
        extra = {
            "title": _("Predictions"),
            "is_nav_sidebar_enabled": False,
            **(extra_context or {}),
        }
        return super().changelist_view(request, extra)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Prediction]:
        # Not joined: SQLite would sort all drawings of one version.
        versions = Prefetch("model_version", ModelVersion.objects.only("name"))
        drawings = Prediction.objects.without_bytes().select_related(None)
        return drawings.prefetch_related(versions).order_by(*self.get_ordering(request))

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        # Bytes can't be compared with text from a URL.
        field = lookup.partition("__")[0]
        return field not in ("image", "strokes", "embedding") and super().lookup_allowed(
            lookup, value, request
        )

    def get_changelist_form(self, request: HttpRequest, **kwargs: Any) -> type[LabelForm]:
        return LabelForm

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Prediction], search_term: str
    ) -> tuple[QuerySet[Prediction], bool]:
        """Drawings whose id starts with the term; if there are none, whose id contains it."""
        term = search_term.strip(" \t{}").lower()
        if not term:
            return queryset, False
        digits = term.replace("-", "")
        if not re.fullmatch(r"[0-9a-f]{1,32}", digits):
            return queryset.none(), False
        # A range, not a pattern: it uses the primary key's index on every database.
        first, last = uuid.UUID(digits.ljust(32, "0")), uuid.UUID(digits.ljust(32, "f"))
        by_start = queryset.filter(pk__range=(first, last))
        if len(digits) == 32 or by_start.exists():
            return by_start, False
        return queryset.filter(pk__icontains=term), False

    @admin.display(description=gettext_lazy("drawing"))
    def thumbnail(self, prediction: Prediction) -> str:
        return format_html(
            '<img class="drawing-thumbnail" src="{}" alt="{}"'
            ' width="64" height="64" loading="lazy">',
            reverse("admin:recognizer_prediction_thumbnail", args=[prediction.pk]),
            _("Drawing predicted as %(digit)s") % {"digit": prediction.answered_label.label},
        )

    @admin.display(description=gettext_lazy("predicted as"), ordering="digit")
    def answer(self, prediction: Prediction) -> str:
        return "?" if prediction.answered_label is Label.NOT_A_DIGIT else str(prediction.digit)

    @admin.display(description=gettext_lazy("confidence"), ordering="confidence")
    def percent(self, prediction: Prediction) -> str:
        return answer_text.confidence_percent(prediction.confidence)

    @admin.display(description=gettext_lazy("verdict"), ordering="verdict")
    def verdict_badge(self, prediction: Prediction) -> str:
        verdict = Verdict(prediction.verdict)
        return format_html('<span class="verdict {}">{}</span>', verdict.value, verdict.label)

    @admin.display(description=gettext_lazy("personal"), ordering="personal_digit")
    def personal_text(self, prediction: Prediction) -> StrOrPromise:
        """The answer given to the visitor, if their own corrections decided it."""
        return prediction.given_label.label if prediction.is_personal else NOTHING

    @admin.display(description=gettext_lazy("visitor says"), ordering="suggestion")
    def suggestion_text(self, prediction: Prediction) -> StrOrPromise:
        return NOTHING if prediction.suggestion is None else Label(prediction.suggestion).label

    @admin.display(description=gettext_lazy("outcome"))
    def outcome(self, prediction: Prediction) -> str:
        if prediction.is_correct is None:
            return NOTHING
        if prediction.is_correct:
            return format_html('<span class="outcome right">✓ {}</span>', _("correct"))
        return format_html('<span class="outcome wrong">✗ {}</span>', _("misclassified"))

    @admin.display(description=gettext_lazy("model version"), ordering="model_version__name")
    def version(self, prediction: Prediction) -> str:
        return prediction.model_version.name

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        return changed_filter.columns(self.list_display, request)

    @admin.display(description=gettext_lazy("would change"))
    def change(self, prediction: Prediction) -> str:
        return changed_filter.in_words(prediction)

    @admin.display(description=gettext_lazy("drawn, id"), ordering="created_at")
    def drawn(self, prediction: Prediction) -> str:
        return format_html(
            '<time datetime="{}">{}</time><br><code class="short-id" title="{}">{}</code>',
            prediction.created_at.isoformat(),
            moment(prediction.created_at),
            prediction.pk,
            str(prediction.pk)[:8],
        )

    # --- the detail page --------------------------------------------------------------------

    @admin.display(description=gettext_lazy("labelled"))
    def labelled(self, prediction: Prediction) -> str:
        if prediction.labelled_at is None:
            return NOTHING
        return _("by %(who)s, %(when)s") % {
            "who": prediction.labelled_by or _("deleted account"),
            "when": moment(prediction.labelled_at),
        }

    @admin.display(description=gettext_lazy("second look"))
    def second_look(self, prediction: Prediction) -> str:
        """Whether another reviewer has given the same label, or it looks wrong."""
        if opinions.confirmed_among([prediction.pk]):
            return format_html(
                '<span class="outcome right">✓ {}</span>', _("confirmed by a second reviewer")
            )
        if suspect := suspects.of([prediction.pk]).get(prediction.pk):
            likely = Label(suspect.likely).label
            return format_html(
                '<span class="outcome wrong">{}</span>',
                _("looks wrong, perhaps “%(label)s”") % {"label": likely},
            )
        return NOTHING

    @admin.display(description=gettext_lazy("note"))
    def note_text(self, prediction: Prediction) -> str:
        """What a reviewer says about the drawing, who and when."""
        note = notes.of([prediction.pk]).get(prediction.pk)
        if note is None:
            return NOTHING
        who = _("by %(who)s, %(when)s") % {
            "who": note.by or _("deleted account"),
            "when": moment(note.at),
        }
        if not note.is_flagged:
            return f"{note.text} ({who})"
        return format_html('<span class="flag">⚑ {}</span> {} ({})', _("flagged"), note.text, who)

    @admin.display(description=gettext_lazy("personal answer"))
    def personal_answer(self, prediction: Prediction) -> str:
        """The answer given to the visitor instead of the network's, and the decisive drawing."""
        if not prediction.is_personal:
            return NOTHING
        text = str(prediction.given_label.label)
        if prediction.given_label != Label.NOT_A_DIGIT:
            text = f"{text}, {answer_text.confidence_percent(prediction.given_confidence)}"
        if prediction.remembered_id is None:
            return text
        return format_html(
            '{}, <a href="{}">{}</a>',
            text,
            reverse("admin:recognizer_prediction_change", args=[prediction.remembered_id]),
            _("based on an earlier drawing of this visitor"),
        )

    @admin.display(description=gettext_lazy("drawn by"))
    def owner(self, prediction: Prediction) -> str:
        return str(prediction.user) if prediction.user else _("a visitor")

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Prediction | None = None,
    ) -> HttpResponse:
        assert obj is not None
        extra = {
            "bars": answer_text.bars(obj),
            "crisp": images.grows(obj),
            "recording": replay.recording(obj),
        }
        return super().render_change_form(request, {**context, **extra}, add, change, form_url, obj)

    # --- the images -------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        pages = [
            *downloads.urls(self),
            *queue_page.urls(self.admin_site),
            *grid_page.urls(self.admin_site),
            *insights_page.urls(self.admin_site),
        ]
        return [*pages, *self.image_urls(), *super().get_urls()]

    def image_urls(self) -> list[URLPattern]:
        views: dict[str, Render] = {
            "thumbnail": images.thumbnail,
            "drawing": images.drawing,
            "model_input": images.model_input,
        }
        return [
            path(
                f"<uuid:pk>/{name.replace('_', '-')}.png",
                self.admin_site.admin_view(self.image_view(render), cacheable=True),
                name=f"recognizer_prediction_{name}",
            )
            for name, render in views.items()
        ]

    def image_view(self, render: Render) -> Callable[..., HttpResponse]:
        def view(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
            if not self.has_view_permission(request):
                raise PermissionDenied
            prediction = get_object_or_404(
                Prediction.objects.only("image", "is_model_input"), pk=pk
            )
            try:
                picture = render(prediction)
            except imaging.ImageError as error:
                raise Http404(error.message) from error
            return HttpResponse(
                picture,
                content_type="image/png",
                headers={"Cache-Control": f"private, max-age={IMAGE_MAX_AGE}"},
            )

        return view

    # --- labelling --------------------------------------------------------------------------

    def save_model(self, request: HttpRequest, obj: Prediction, form: Any, change: bool) -> None:
        """Store a label set in the list or on the detail page; nothing else is saved here."""
        number = form.cleaned_data.get("number_label")
        typed = bool(number) and "number_label" in form.changed_data
        if typed or "label" in form.changed_data:
            labels.label_predictions(
                predictions=[obj.pk], label=form.cleaned_data["label"], by=reviewer(request)
            )
        if typed:
            self.set_number(request, obj.pk, number)

    def set_number(self, request: HttpRequest, pk: UUID, number: str) -> None:
        try:
            parts = numbers.set_number(prediction_id=pk, number=number, by=reviewer(request))
        except NoModel:
            parts = 0
        if parts:
            text = ngettext(
                "%(n)d digit of the number is a labelled drawing of its own now.",
                "%(n)d digits of the number are labelled drawings of their own now.",
                parts,
            ) % {"n": parts}
            self.message_user(request, text, messages.SUCCESS)
        else:
            text = _("The digits of the number can't be told apart, so they are not labelled.")
            self.message_user(request, text, messages.WARNING)

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> None:  # type: ignore[override]
        """Write nothing: ``labelling`` has written the label history."""

    def set_label(
        self, request: HttpRequest, queryset: QuerySet[Prediction], label: Label | None
    ) -> None:
        changed = labels.label_predictions(predictions=queryset, label=label, by=reviewer(request))
        self.show_number_changed(request, changed)

    @admin.action(description=gettext_lazy("Confirm prediction as label"), permissions=["label"])
    def confirm(self, request: HttpRequest, queryset: QuerySet[Prediction]) -> None:
        changed = labels.confirm_predictions(predictions=queryset, by=reviewer(request))
        self.show_number_changed(request, changed)

    @admin.action(description=gettext_lazy("Clear label"), permissions=["label"])
    def clear_label(self, request: HttpRequest, queryset: QuerySet[Prediction]) -> None:
        self.set_label(request, queryset, None)

    def show_number_changed(self, request: HttpRequest, changed: int) -> None:
        if not changed:
            self.message_user(request, _("No change: already set."), messages.INFO)
            return
        text = ngettext("%(n)d label was changed.", "%(n)d labels were changed.", changed)
        self.message_user(request, text % {"n": changed}, messages.SUCCESS)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions = super().get_actions(request)
        # Last in the menu, because it can't be undone.
        if "delete_selected" in actions:
            actions["delete_selected"] = actions.pop("delete_selected")
        return actions
