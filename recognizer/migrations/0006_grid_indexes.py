from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("recognizer", "0005_fill_learning_loop"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddIndex(
            model_name="prediction",
            index=models.Index(
                condition=models.Q(
                    ("audit_key__isnull", True),
                    ("label__isnull", True),
                    models.Q(("verdict", "not_a_digit"), _negated=True),
                ),
                fields=["digit", "margin", "id", "verdict"],
                name="prediction_grid",
            ),
        ),
        migrations.AddIndex(
            model_name="prediction",
            index=models.Index(
                condition=models.Q(
                    ("audit_key__isnull", True), ("label__isnull", True), ("verdict", "not_a_digit")
                ),
                fields=["verdict", "margin", "id"],
                name="prediction_refused",
            ),
        ),
        migrations.AddIndex(
            model_name="prediction",
            index=models.Index(
                condition=models.Q(
                    ("audit_key__isnull", True), ("label__isnull", True), ("verdict", "not_a_digit")
                ),
                fields=["verdict", "-created_at", "-id"],
                name="prediction_refused_newest",
            ),
        ),
    ]
