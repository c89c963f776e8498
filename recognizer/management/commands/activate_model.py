from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from recognizer.versions import registry


class Command(BaseCommand):
    help = "Activate a model version; running web processes switch to it within seconds."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="name of the version, as shown by list_models")

    def handle(self, *, name: str, **options: Any) -> None:
        try:
            registry.activate_model(name=name)
        except registry.ActivationError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(self.style.SUCCESS(f"{name} activated."))
