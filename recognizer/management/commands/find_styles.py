from typing import Any

from django.core.management.base import BaseCommand, CommandError

from recognizer.labelling import styles
from recognizer.management.terminal import progress_bar
from recognizer.models import label_text
from recognizer.versions import loading


class Command(BaseCommand):
    help = (
        "Group the newest drawings by digit and handwriting style, and say which labels would be "
        "worth most, for the insights. `housekeeping` does the same."
    )

    def handle(self, *, verbosity: int, **options: Any) -> None:
        try:
            with progress_bar(verbosity=verbosity, total=styles.SAMPLE) as progress:
                report = styles.find_styles(progress=progress)
        except loading.LoadError as error:
            raise CommandError(str(error)) from error
        if report is None:
            raise CommandError(
                f"This needs an active model and {styles.ENOUGH} drawings that were not imported."
            )
        self.stdout.write(
            f"The newest drawings, predicted by {report.version}: {report.drawings:,}."
        )
        for each in report.digits:
            self.stdout.write(
                f"  {label_text(each.label)}: {each.n:,} drawings, {each.labelled:,} labelled, "
                f"about {each.expected:.0f} mistakes expected among the others"
            )
        self.stdout.write(f"See the styles in the admin's insights ({len(report.styles)}).")
