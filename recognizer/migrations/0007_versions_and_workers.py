"""Who made which version the active one, and which workers are there."""

from __future__ import annotations

from typing import Any

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


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


class Migration(migrations.Migration):
    dependencies = [
        ("recognizer", "0006_disagreement_index"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Worker",
            fields=[
                (
                    "id",
                    models.CharField(
                        max_length=64, primary_key=True, serialize=False, verbose_name="name"
                    ),
                ),
                (
                    "place",
                    models.CharField(
                        help_text="Its machine and process.", max_length=200, verbose_name="place"
                    ),
                ),
                (
                    "started_at",
                    models.DateTimeField(default=django.utils.timezone.now, verbose_name="started"),
                ),
                (
                    "seen_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, verbose_name="last sign of life"
                    ),
                ),
            ],
            options={
                "verbose_name": "worker",
                "verbose_name_plural": "workers",
                "ordering": ["-seen_at"],
            },
        ),
        migrations.CreateModel(
            name="Activation",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "cause",
                    models.CharField(
                        choices=[
                            ("installed", "it came with the code"),
                            ("admin", "activated in the admin"),
                            ("command", "activated on the command line"),
                            ("gate", "it passed the gate after training"),
                            ("roll_back", "rolled back"),
                            ("unknown", "before causes were kept"),
                        ],
                        max_length=12,
                        verbose_name="cause",
                    ),
                ),
                (
                    "at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, editable=False, verbose_name="when"
                    ),
                ),
                (
                    "by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="by",
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="activations",
                        to="recognizer.modelversion",
                        verbose_name="model version",
                    ),
                ),
            ],
            options={
                "verbose_name": "activation",
                "verbose_name_plural": "activations",
                "ordering": ["-at", "-pk"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "cause__in",
                                ["installed", "admin", "command", "gate", "roll_back", "unknown"],
                            )
                        ),
                        name="activation_cause_known",
                    )
                ],
            },
        ),
        migrations.RunPython(fill_activations, migrations.RunPython.noop),
    ]
