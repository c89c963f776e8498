"""A permission of its own to export drawings: reviewers label them and do nothing else."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("recognizer", "0003_strokes"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="prediction",
            options={
                "ordering": ["-created_at", "-id"],
                "permissions": [
                    ("label_prediction", "Can label predictions"),
                    ("export_prediction", "Can export predictions"),
                ],
                "verbose_name": "prediction",
                "verbose_name_plural": "predictions",
            },
        ),
    ]
