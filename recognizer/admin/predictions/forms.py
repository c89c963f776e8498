"""The form that labels one drawing, in the list and on its page."""

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
    """The choice of a label; it remembers, in the page, what the label was."""
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
    """One drawing's label, which notices what another reviewer did since the page was opened."""

    class Meta:
        model = Prediction
        fields = ("label",)

    label = label_field(forms.Select)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.stored_label = self.instance.label

    def clean(self) -> dict[str, Any] | None:
        """Refuse a change that would silently overwrite another reviewer's label."""
        cleaned = super().clean()
        opened_with = self.opened_with()
        if "label" in self.changed_data and opened_with != self.stored_label:
            self.accept_the_stored_label()
            if self.cleaned_data.get("label") != self.stored_label:
                raise forms.ValidationError({"label": self.meanwhile()})
        return cleaned

    def opened_with(self) -> int | None:
        """The label that the page showed when it was opened."""
        shown = self.data.get(self.add_initial_prefix("label"))
        if shown is None:
            return self.stored_label
        return int(shown) if shown.isdecimal() else None

    def accept_the_stored_label(self) -> None:
        """Let the page that is shown again start from what is stored: saving it then overrules."""
        stored = "" if self.stored_label is None else str(self.stored_label)
        # Not {**self.data}: of a QueryDict that takes the lists behind the values.
        posted = {name: self.data[name] for name in self.data}
        self.data = {**posted, self.add_initial_prefix("label"): stored}

    def meanwhile(self) -> str:
        """What another reviewer did since the page was opened."""
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
    """The same with a button for each label, where there is room for them."""

    label = label_field(forms.RadioSelect)
