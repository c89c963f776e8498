import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from recognizer import imaging
from recognizer.inference.classifier import Verdict
from recognizer.predictions import recognition
from recognizer.text import answers as answer_text
from recognizer.versions import active as active_version


class Command(BaseCommand):
    help = "Recognise the digit in image files. Nothing is stored."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
        parser.add_argument("--json", action="store_true", help="print a JSON list instead of text")

    def handle(self, *, files: list[Path], json: bool, **options: Any) -> None:
        results = [self.recognise(Path(file)) for file in files]
        failed = [result for result in results if "error" in result]
        if json:
            self.stdout.write(to_json(results))
        for result in results:
            if "error" in result:
                self.stderr.write(f"{result['file']}: {result['error']['detail']}")
            elif not json:
                self.stdout.write(in_words(result))
        if failed:
            raise CommandError(f"{len(failed)} of {len(results)} files could not be recognised.")

    def recognise(self, file: Path) -> dict[str, Any]:
        try:
            with file.open("rb") as stream:
                # One byte over the limit: enough to tell that it is too large.
                data = stream.read(imaging.MAX_BYTES + 1)
            found = recognition.preview(data=data)
        except OSError as error:
            return failure(file, "unreadable_file", f"{error.strerror or error}.")
        except imaging.ImageError as error:
            return failure(file, error.code, error.message)
        except active_version.NoModel as error:
            raise CommandError(str(error)) from error
        answer = found.network
        return {
            "file": str(file),
            "digit": answer.digit,
            "confidence": answer.confidence,
            "probabilities": list(answer.probabilities),
            "verdict": answer.verdict.value,
            "model_version": found.loaded.name,
        }


def failure(file: Path, code: str, detail: str) -> dict[str, Any]:
    return {"file": str(file), "error": {"code": code, "detail": detail}}


def to_json(results: list[dict[str, Any]]) -> str:
    return json.dumps(results, indent=2, ensure_ascii=False)


def in_words(result: dict[str, Any]) -> str:
    digit, sure = result["digit"], f"{answer_text.confidence_percent(result['confidence'])} sure"
    match Verdict(result["verdict"]):
        case Verdict.DIGIT:
            answer = f"{digit}, {sure}"
        case Verdict.UNCERTAIN:
            second = answer_text.close_second(digit, result["probabilities"])
            answer = f"maybe {digit}, {sure}"
            answer += "" if second is None else f"; it could also be {second}"
        case Verdict.NOT_A_DIGIT:
            answer = f"not a single digit (closest {digit})"
    return f"{result['file']}: {answer}"
