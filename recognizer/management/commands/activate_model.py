from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from recognizer.versions import registry


class Command(BaseCommand):
    help = "Make a model version answer from now on; running web processes follow in seconds."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="as list_models shows it")

    def handle(self, *, name: str, **options: Any) -> None:
        try:
            registry.activate_model(name=name)
        except registry.ActivationError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(self.style.SUCCESS(f"{name} is active."))
