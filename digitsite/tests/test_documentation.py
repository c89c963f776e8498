"""What the README and .env.example say about the configuration is what the settings read."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from django.conf import settings

BASE = Path(settings.BASE_DIR)
# Read by the training code, not by the settings.
ELSEWHERE = {"DIGIT_DATA_DIR"}


def variables_read() -> set[str]:
    tree = ast.parse((BASE / "digitsite" / "settings.py").read_text(encoding="utf-8"))
    return ELSEWHERE | {
        node.args[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "env"
        and node.args
        and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, str)
    }


def test_the_example_lists_every_variable_and_sets_none() -> None:
    example = (BASE / ".env.example").read_text(encoding="utf-8")
    assert set(re.findall(r"^#([A-Z_]+)=", example, re.MULTILINE)) == variables_read()
    assert re.findall(r"^[A-Z_]+=", example, re.MULTILINE) == []


def test_the_readme_lists_every_variable() -> None:
    readme = (BASE / "README.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `([A-Z_]+)` \|", readme, re.MULTILINE)) == variables_read()
