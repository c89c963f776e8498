"""The forms of an import: the file, and how it is read."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from recognizer.transfer import import_task
from recognizer.transfer.importing import Options


class UploadForm(forms.Form):
    file = forms.FileField(
        label=gettext_lazy("File"),
        allow_empty_file=False,
        max_length=200,
        help_text=gettext_lazy(
            "A zip file of images in folders 0 to 9 and not_a_digit, an export of Label Studio "
            "(zipped with its images), JSON lines, CSV, npz, MNIST’s files in a zip file, or "
            "Parquet; at most %(megabytes)s MB. For larger files use the command import_drawings."
        ),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["file"]
        field.help_text = field.help_text % {"megabytes": import_task.MAX_UPLOAD >> 20}

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > import_task.MAX_UPLOAD:
            raise forms.ValidationError(
                _("The file is larger than %(megabytes)s MB. Use the command import_drawings.")
                % {"megabytes": import_task.MAX_UPLOAD >> 20}
            )
        return file


class OptionsForm(forms.Form):
    """How the file is read; changing one shows the preview again."""

    label_column = forms.CharField(
        label=gettext_lazy("Column of the labels"),
        required=False,
        max_length=100,
        help_text=gettext_lazy(
            "Of a table or JSON file: its title, or “first” or “last” without titles. Leave empty "
            "for the usual one."
        ),
    )
    transpose = forms.BooleanField(
        label=gettext_lazy("Swap rows and columns of the images"),
        required=False,
        help_text=gettext_lazy("As for the files of EMNIST."),
    )
    skip_bad = forms.BooleanField(
        label=gettext_lazy("Skip what can’t be used and import the others"), required=False
    )
    as_is = forms.BooleanField(
        label=gettext_lazy("The labels are right, even if they contradict the model"),
        required=False,
    )

    def options(self) -> Options:
        """The form must be valid."""
        values = self.cleaned_data
        return Options(**{**values, "label_column": values["label_column"] or None})
