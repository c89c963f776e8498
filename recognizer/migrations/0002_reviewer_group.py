"""The group whose members label drawings and do nothing else."""

from __future__ import annotations

from typing import Any

from django.db import migrations

GROUP = "Reviewer"
PERMISSIONS = {
    "view_prediction": "Can view prediction",
    "label_prediction": "Can label predictions",
}


def create_group(apps: Any, schema_editor: Any) -> None:
    """Make the group, with its permissions: Django makes those only after all migrations."""
    alias = schema_editor.connection.alias
    content_types = apps.get_model("contenttypes", "ContentType").objects.using(alias)
    permissions = apps.get_model("auth", "Permission").objects.using(alias)
    groups = apps.get_model("auth", "Group").objects.using(alias)
    content_type, _ = content_types.get_or_create(app_label="recognizer", model="prediction")
    group, _ = groups.get_or_create(name=GROUP)
    for codename, name in PERMISSIONS.items():
        permission, _ = permissions.get_or_create(
            content_type=content_type, codename=codename, defaults={"name": name}
        )
        group.permissions.add(permission)


def delete_group(apps: Any, schema_editor: Any) -> None:
    """Take the group away again; its members keep their accounts."""
    groups = apps.get_model("auth", "Group").objects.using(schema_editor.connection.alias)
    groups.filter(name=GROUP).delete()


class Migration(migrations.Migration):
    dependencies = [
        ("recognizer", "0001_initial"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [migrations.RunPython(create_group, delete_group)]
