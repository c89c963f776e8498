"""The page of insights reads no drawing: its figures are in two indexes."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from recognizer.tests.support.insights import PAGE, store

pytestmark = pytest.mark.django_db


@pytest.mark.skipif(connection.vendor != "sqlite", reason="the plan is read as SQLite writes it")
@pytest.mark.parametrize("query", ["", "?period=7", "?version=all&drawings=labelled&period=all"])
def test_the_figures_come_from_their_indexes_alone(reviewing: Client, query: str) -> None:
    store(3, 4, 4)
    store(2, 9, 4, suggestion=4)

    with CaptureQueriesContext(connection) as captured:
        reviewing.get(PAGE + query)

    plans = []
    for asked in captured:
        if "COUNT(" in asked["sql"] and 'FROM "recognizer_prediction"' in asked["sql"]:
            with connection.cursor() as cursor:
                cursor.execute("EXPLAIN QUERY PLAN " + asked["sql"])
                plans.append([row[3] for row in cursor.fetchall()])
    assert len(plans) == 3
    for plan in plans:
        steps = [line for line in plan if "recognizer_prediction" in line]
        assert steps
        for step in steps:
            assert re.search(r"USING COVERING INDEX prediction_(judged|answered) ", step), step
