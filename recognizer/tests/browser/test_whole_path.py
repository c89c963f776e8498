"""The whole path: a person draws, a reviewer labels, a command exports."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from django.contrib.auth.models import User
from django.core.management import call_command
from playwright.sync_api import expect

from recognizer.models import Prediction
from recognizer.tests.browser.draw_page import DrawPage

REVIEWER = "reviewer-of-digits"
PASSWORD = "a password with spaces"


def test_a_drawing_is_recognised_stored_found_labelled_and_exported(
    draw_page: DrawPage, new_context: Any, tmp_path: Path, complaints: list[str]
) -> None:
    # A visitor draws a 7 and sees the answer, and later their history.
    draw_page.draw(7, seed=1)
    draw_page.save.click()
    draw_page.expect_answer(7)
    draw_page.open()
    expect(draw_page.entries).to_have_count(1)
    prediction = Prediction.objects.get(label=None)

    # A reviewer logs in, finds it in the admin by its id and labels it a 1.
    User.objects.create_superuser(REVIEWER, password=PASSWORD)
    admin = new_context().new_page()
    admin.goto(f"{draw_page.url}/admin/")
    admin.get_by_label("Username:").fill(REVIEWER)
    admin.get_by_label("Password:").fill(PASSWORD)
    admin.get_by_role("button", name="Log in").click()
    admin.get_by_role("link", name="Predictions", exact=True).first.click()
    admin.locator("#searchbar").fill(str(prediction.pk))
    admin.locator("#changelist-search [type=submit]").click()
    row = admin.locator("#result_list tbody tr")
    expect(row).to_have_count(1)
    row.locator("select[name$=label]").select_option("1")
    admin.locator("[name=_save]").click()
    expect(admin.locator(".messagelist .success")).to_be_visible()
    prediction.refresh_from_db()
    assert prediction.label == 1
    assert prediction.labelled_by is not None
    assert prediction.labelled_by.username == REVIEWER
    assert prediction.labelled_at is not None

    # The export holds the drawing as the model saw it, under the reviewer's label.
    path = tmp_path / "labelled.npz"
    call_command("export_drawings", str(path))
    with np.load(path) as arrays:
        assert arrays["y_train"].tolist() == [1]
        assert arrays["x_train"].shape == (1, 28, 28)
        assert arrays["x_train"].dtype == np.uint8
        assert arrays["x_train"].max() > 200
        assert arrays["ids"].tolist() == [str(prediction.pk)]
