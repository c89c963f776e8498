"""The forms that label one drawing, in the list and on its page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.forms.widgets import ChoiceWidget
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from recognizer.models import Label, Prediction

if TYPE_CHECKING:
    BaseForm = forms.ModelForm[Prediction]
else:
    BaseForm = forms.ModelForm


def label_field(widget: type[ChoiceWidget]) -> forms.TypedChoiceField:
    """The choice of a label, with its initial value in a hidden field."""
    return forms.TypedChoiceField(
        label=gettext_lazy("Label"),
        choices=[("", gettext_lazy("not labelled")), *Label.choices],
        coerce=int,
        empty_value=None,
        required=False,
        show_hidden_initial=True,
        widget=widget,
    )


class LabelForm(BaseForm):
    """One drawing's label; detects changes by another reviewer since the page was opened."""

    class Meta:
        model = Prediction
        fields: tuple[str, ...] = ("label",)

    label = label_field(forms.Select)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.stored_label = self.instance.label

    def clean(self) -> dict[str, Any] | None:
        """Reject a change that would silently overwrite another reviewer's label."""
        cleaned = super().clean()
        opened_with = self.opened_with()
        if "label" in self.changed_data and opened_with != self.stored_label:
            self.accept_the_stored_label()
            if self.cleaned_data.get("label") != self.stored_label:
                raise forms.ValidationError({"label": self.conflict_text()})
        return cleaned

    def opened_with(self) -> int | None:
        shown = self.data.get(self.add_initial_prefix("label"))
        if shown is None:
            return self.stored_label
        return int(shown) if shown.isdecimal() else None

    def accept_the_stored_label(self) -> None:
        """Use the stored label as the initial value, so that saving again overwrites it."""
        stored = "" if self.stored_label is None else str(self.stored_label)
        # Not {**self.data}: for a QueryDict that copies lists of values.
        posted = {name: self.data[name] for name in self.data}
        self.data = {**posted, self.add_initial_prefix("label"): stored}

    def conflict_text(self) -> str:
        if self.stored_label is None:
            return _(
                "Another reviewer has cleared this label in the meantime. Save again to set yours."
            )
        return _(
            "%(who)s has labelled this “%(label)s” in the meantime. Save again to overrule."
        ) % {
            "who": self.instance.labelled_by or _("Another reviewer"),
            "label": Label(self.stored_label).label,
        }


class LabelButtonsForm(LabelForm):
    """The same with one button per label, where there is room for them, and a number to type."""

    class Meta(LabelForm.Meta):
        fields = ("label", "number_label")

    label = label_field(forms.RadioSelect)

    def clean(self) -> dict[str, Any] | None:
        """Label a number that was typed "not a digit": it is not a single one."""
        if "number_label" in self.changed_data and self.cleaned_data.get("number_label"):
            self.cleaned_data["label"] = Label.NOT_A_DIGIT.value
        return super().clean()
