from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.urls import reverse

from recognizer.labelling import suspects
from recognizer.management.terminal import progress_bar
from recognizer.models import Prediction, label_text
from recognizer.versions import loading


class Command(BaseCommand):
    help = (
        "Search all labels for those that look wrong, for the review queue, the insights and the "
        "pages that use labels. Each training does the same."
    )

    def handle(self, *, verbosity: int, **options: Any) -> None:
        total = Prediction.objects.labelled().count
        try:
            with progress_bar(verbosity=verbosity, total=total) as progress:
                checked = suspects.check_labels(progress=progress)
        except (suspects.NoNetwork, loading.LoadError) as error:
            raise CommandError(str(error)) from error
        what = "label looks" if checked.suspects == 1 else "labels look"
        self.stdout.write(f"{checked.suspects:,} of {checked.labels:,} {what} wrong.")
        for each in suspects.patterns():
            self.stdout.write(
                f"  {each.reviewer or 'no account'} labelled {each.n:,} drawings "
                f"{label_text(each.label)} that look like {label_text(each.likely)}, for example "
                f"{each.example}"
            )
        if checked.suspects:
            address = reverse("admin:recognizer_review")
            self.stdout.write(f"See them in the admin: {address}?order=suspect")
