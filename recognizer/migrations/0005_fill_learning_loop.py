"""What the learning loop needs to know of the drawings that were there before it."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterable, Iterator
from typing import Any

from django.db import migrations
from PIL import Image

CHUNK = 500
LABELS = {"none": None, **{str(digit): digit for digit in range(10)}, "not a digit": 10}
CHANGE = re.compile(r"Label: (.+) → (.+)\.")
AUDIT_SHARE = 0.05


def fill_predictions(apps: Any, schema_editor: Any) -> None:
    """Give every drawing its margin, the hash of its pixels and its place in the audit sample."""
    predictions = apps.get_model("recognizer", "Prediction").objects.using(
        schema_editor.connection.alias
    )
    rows = predictions.only("id", "image", "probabilities").order_by("pk")
    for some in _chunks(rows.iterator(chunk_size=CHUNK)):
        for row in some:
            second, first = sorted(row.probabilities)[-2:]
            row.margin = min(1.0, max(0.0, first - second))
            row.pixels_sha256 = _pixels_sha256(bytes(row.image))
            row.audit_key = _audit_key(row.pk)
        predictions.bulk_update(
            some, ["margin", "pixels_sha256", "audit_key"], batch_size=CHUNK // 5
        )


def move_history(apps: Any, schema_editor: Any) -> None:
    """Move the changes of labels from the admin's log to a table of their own."""
    alias = schema_editor.connection.alias
    events = apps.get_model("recognizer", "LabelEvent").objects.using(alias)
    predictions = apps.get_model("recognizer", "Prediction").objects.using(alias)
    entries = apps.get_model("admin", "LogEntry").objects.using(alias)
    lines = entries.filter(
        content_type__app_label="recognizer",
        content_type__model="prediction",
        change_message__startswith="Label: ",
    ).order_by("pk")
    for some in _chunks(lines.iterator(chunk_size=CHUNK)):
        ids = {line.object_id for line in some}
        there = {str(pk) for pk in predictions.filter(pk__in=ids).values_list("pk", flat=True)}
        moved = []
        for line in some:
            found = CHANGE.fullmatch(line.change_message)
            if found is None or line.object_id not in there:
                continue
            old, new = found.groups()
            if old not in LABELS or new not in LABELS:
                continue
            moved.append(line.pk)
            events.create(
                prediction_id=line.object_id,
                old=LABELS[old],
                new=LABELS[new],
                by_id=line.user_id,
                at=line.action_time,
            )
        entries.filter(pk__in=moved).delete()


def fill_activations(apps: Any, schema_editor: Any) -> None:
    """Keep what is known of the past: when each version was last activated."""
    alias = schema_editor.connection.alias
    versions = apps.get_model("recognizer", "ModelVersion").objects.using(alias)
    activations = apps.get_model("recognizer", "Activation").objects.using(alias)
    rows = versions.filter(activated_at__isnull=False).values_list(
        "pk", "activated_at", "is_bundled"
    )
    for pk, at, is_bundled in rows.order_by("activated_at", "pk"):
        cause = "installed" if is_bundled else "unknown"
        activations.create(version_id=pk, at=at, cause=cause)


def _chunks(rows: Iterable[Any]) -> Iterator[list[Any]]:
    some: list[Any] = []
    for row in rows:
        some.append(row)
        if len(some) == CHUNK:
            yield some
            some = []
    if some:
        yield some


def _pixels_sha256(png: bytes) -> str:
    """As `services.pixels_sha256`; nothing for a drawing that can't be read any more."""
    try:
        with Image.open(io.BytesIO(png)) as image:
            grey = image.convert("L")
            grey.load()
    except (OSError, ValueError):
        return ""
    return hashlib.sha256(f"{grey.height}x{grey.width} ".encode() + grey.tobytes()).hexdigest()


def _audit_key(identifier: Any) -> float | None:
    """As `audit.audit_key`."""
    digest = hashlib.sha256(b"audit" + identifier.bytes).digest()
    draw = int.from_bytes(digest[:6], "big") / 2**48
    return draw / AUDIT_SHARE if draw < AUDIT_SHARE else None


class Migration(migrations.Migration):
    dependencies = [
        ("recognizer", "0004_learning_loop"),
        ("admin", "0003_logentry_add_action_flag_choices"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [
        migrations.RunPython(fill_predictions, migrations.RunPython.noop),
        migrations.RunPython(move_history, migrations.RunPython.noop),
        migrations.RunPython(fill_activations, migrations.RunPython.noop),
    ]
