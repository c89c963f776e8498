"""API tokens of our own, of which only hashes are stored; those of Django REST framework move.

Its table holds the tokens themselves, and its foreign key would keep users from being deleted once
its app is not installed any more: so it is deleted here. An older release can't be run on the
database after this migration if programs use tokens.
"""

from __future__ import annotations

import hashlib
from typing import Any

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import recognizer.models.tokens

OLD_TABLE = "authtoken_token"
# What every token could do before there were scopes.
SCOPES = ["predict", "read"]


def move_tokens(apps: Any, schema_editor: Any) -> None:
    """Store the hashes of Django REST framework's tokens; delete the tokens, and their table."""
    connection = schema_editor.connection
    token = apps.get_model("recognizer", "ApiToken")
    with connection.cursor() as cursor:
        if OLD_TABLE not in connection.introspection.table_names(cursor):
            return
        cursor.execute(f"SELECT {connection.ops.quote_name('key')}, user_id FROM {OLD_TABLE}")  # noqa: S608 - names of our own
        rows = cursor.fetchall()
    token.objects.using(connection.alias).bulk_create(
        [
            token(
                user_id=user_id,
                name="API token",
                key_sha256=hashlib.sha256(key.encode()).hexdigest(),
                scopes=SCOPES,
            )
            for key, user_id in rows
        ],
        ignore_conflicts=True,
    )
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE {OLD_TABLE}")
    # Django would keep its permissions, for models that no longer exist.
    apps.get_model("contenttypes", "ContentType").objects.using(connection.alias).filter(
        app_label="authtoken"
    ).delete()


class Migration(migrations.Migration):
    dependencies = [
        ("recognizer", "0004_export_permission"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ApiToken",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "name",
                    models.CharField(
                        help_text="What you use it for, so that you know it later.",
                        max_length=100,
                        verbose_name="name",
                    ),
                ),
                (
                    "key_sha256",
                    models.CharField(
                        editable=False,
                        max_length=64,
                        unique=True,
                        verbose_name="SHA-256 of the token",
                    ),
                ),
                (
                    "scopes",
                    models.JSONField(
                        validators=[recognizer.models.tokens.validate_scopes], verbose_name="scopes"
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, editable=False, verbose_name="created"
                    ),
                ),
                (
                    "last_used_at",
                    models.DateTimeField(
                        blank=True, editable=False, null=True, verbose_name="last used"
                    ),
                ),
                ("expires_at", models.DateTimeField(blank=True, null=True, verbose_name="expires")),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="api_tokens",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="user",
                    ),
                ),
            ],
            options={
                "verbose_name": "API token",
                "verbose_name_plural": "API tokens",
                "ordering": ["-created_at", "-pk"],
            },
        ),
        migrations.AddConstraint(
            model_name="apitoken",
            constraint=models.CheckConstraint(
                condition=models.Q(("name", ""), _negated=True), name="apitoken_name_not_empty"
            ),
        ),
        migrations.AddConstraint(
            model_name="apitoken",
            constraint=models.CheckConstraint(
                condition=models.Q(("key_sha256__regex", "^[0-9a-f]{64}$")),
                name="apitoken_sha256_hex",
            ),
        ),
        migrations.RunPython(move_tokens, migrations.RunPython.noop),
    ]
