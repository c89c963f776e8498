"""A visitor draws while the site's database is stopped."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from recognizer.tests.browser.conftest import listen
from recognizer.tests.browser.draw_page import DrawPage
from recognizer.tests.support import servers
from recognizer.tests.support.required import skip_or_fail
from recognizer.tests.support.sites import running_site


@pytest.mark.services
def test_a_drawing_waits_for_the_database_and_is_then_sent_by_itself(
    new_context: Any, complaints: list[str], tmp_path: Path
) -> None:
    with ExitStack() as stack:
        try:
            postgres = stack.enter_context(servers.postgres_server())
        except servers.Missing as error:
            skip_or_fail(f"{error} is not installed", variable="REQUIRE_SERVICES")
        site = stack.enter_context(running_site(tmp_path, {"DATABASE_URL": postgres.url}))
        context = new_context()
        listen(context, complaints)
        page = DrawPage(context.new_page(), site.address.removesuffix("/")).open()

        postgres.stop()
        page.draw(7)
        # The live guess needs no database.
        expect(page.digit).to_have_text("7")
        page.save.click()
        page.expect_kept("The site can't reach its database right now.")
        assert len(complaints) >= 1
        assert all("503" in complaint for complaint in complaints)

        postgres.start()
        page.expect_answer(7)
        expect(page.entries).to_have_count(1)
        complaints.clear()
