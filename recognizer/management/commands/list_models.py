from typing import Any

from django.core.management.base import BaseCommand
from django.db.models.functions import Length
from django.template.defaultfilters import filesizeformat

from recognizer.models import ModelVersion

COLUMNS = ("", "name", "created", "size", "parent")


class Command(BaseCommand):
    help = "List the model versions, newest first; * = active, r = retired."

    def handle(self, **options: Any) -> None:
        rows = [COLUMNS, *model_rows()]
        if len(rows) == 1:
            self.stdout.write("There are no model versions. Run: python manage.py migrate")
            return
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for row in rows:
            cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            self.stdout.write("  ".join(cells).rstrip())


def model_rows() -> list[tuple[str, str, str, str, str]]:
    """A row of cells for each version, without loading the models' bytes."""
    versions = ModelVersion.objects.annotate(
        bytes=Length("serving") + Length("training")
    ).values_list("is_active", "retired_at", "name", "created_at", "bytes", "parent__name")
    return [
        (
            "*" if is_active else "r" if retired_at else "",
            name,
            created_at.strftime("%Y-%m-%d %H:%M UTC"),
            filesizeformat(size).replace("\xa0", " "),
            parent or "-",
        )
        for is_active, retired_at, name, created_at, size, parent in versions
    ]
