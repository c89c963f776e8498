"""The page of insights: what its figures are, and what its cells open."""

from __future__ import annotations

import datetime
import html
import re
from xml.etree import ElementTree

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from recognizer.models import Prediction
from recognizer.tests.admin.test_access import INLINE
from recognizer.tests.support.insights import PAGE, markup, section, store, table, text
from recognizer.tests.support.reviewing import (
    LIST,
    NOT_A_DIGIT,
    make_prediction,
    make_staff,
    make_version,
)

pytestmark = [pytest.mark.django_db, pytest.mark.store]

HERE = "?version=all"
EVERYTHING = "?version=all&drawings=labelled"


def ago(**fields: float) -> datetime.datetime:
    return timezone.now() - datetime.timedelta(**fields)


# --- who may see it -------------------------------------------------------------------------------


@pytest.mark.parametrize("permission", ["view_prediction", "label_prediction"])
def test_users_who_may_view_or_label_see_it(client: Client, permission: str) -> None:
    client.force_login(make_staff("member", permission))

    assert client.get(PAGE).status_code == 200


def test_other_staff_do_not_see_it(client: Client) -> None:
    client.force_login(make_staff("newcomer", "view_modelversion"))

    assert client.get(PAGE).status_code == 403


def test_an_anonymous_user_is_sent_to_the_login(client: Client) -> None:
    response = client.get(PAGE)

    assert response.status_code == 302
    assert response["Location"].startswith("/admin/login/")


# --- accuracy -------------------------------------------------------------------------------------


def test_accuracy_is_measured_on_audited_drawings_with_its_interval(reviewing: Client) -> None:
    store(97, 3, 3)
    store(3, 3, 8)
    store(50, 3, 8, audited=False)

    found = section(reviewing, "accuracy", HERE)

    assert "97.0\u00a0% (91.5 to 99.0\u00a0%) of 100 audited" in found
    assert "64.7\u00a0% of 150 labelled (biased)" in found
    assert "Correct 97.0\u00a0% 91.5 to 99.0\u00a0%, of 100 audited" in text(reviewing, HERE)


def test_with_too_few_audits_the_number_of_missing_ones_is_shown(reviewing: Client) -> None:
    store(4, 3, 3)

    found = section(reviewing, "accuracy", HERE)

    assert "4 audited: 6 more are needed for a figure." in found
    assert "of 4 audited" not in found
    assert "Correct – 4 audited, 6 more are needed" in text(reviewing, HERE)

    store(5, 3, 3)

    assert "9 audited: 1 more is needed for a figure." in section(reviewing, "accuracy", HERE)


def test_ten_audits_give_a_figure_that_is_marked_as_rough(reviewing: Client) -> None:
    store(9, 3, 3)
    store(1, 3, 8)

    page = text(reviewing, HERE)

    assert "90.0\u00a0% (59.6 to 98.2\u00a0%) of 10 audited rough" in page
    assert "Correct 90.0\u00a0% 59.6 to 98.2\u00a0%, of 10 audited rough" in page
    assert re.search(r"The expected calibration error is [\d.]+ points . rough", page)

    store(89, 3, 3)
    assert "of 99 audited rough" in section(reviewing, "accuracy", HERE)

    store(1, 3, 3)
    assert "of 100 audited rough" not in section(reviewing, "accuracy", HERE)


def test_each_version_has_its_own_accuracy(reviewing: Client) -> None:
    store(100, 3, 3, model_version=make_version("old"))
    store(90, 3, 3, model_version=make_version("new"))
    store(10, 3, 5, model_version=make_version("new"))
    make_version("unused")

    found = section(reviewing, "accuracy", HERE)

    assert re.search(r"old 100.0\u00a0% \(96.3 to 100.0\u00a0%\) of 100 audited", found)
    assert re.search(r"new 90.0\u00a0% \(82.6 to 94.5\u00a0%\) of 100 audited", found)
    assert "unused" not in found


def test_rejecting_a_non_digit_is_correct(reviewing: Client) -> None:
    store(90, 3, NOT_A_DIGIT, verdict="not_a_digit")
    store(10, 3, NOT_A_DIGIT)

    assert "90.0\u00a0%" in section(reviewing, "accuracy", HERE)


def test_a_rejected_digit_is_misclassified_whatever_digit_it_was_closest_to(
    reviewing: Client,
) -> None:
    store(98, 3, 3)
    store(2, 3, 3, verdict="not_a_digit")

    assert "98.0\u00a0%" in section(reviewing, "accuracy", HERE)
    assert table(reviewing, "digits", HERE)["3"][1] == "98.0\u00a0%"


def test_accuracy_agrees_with_the_list(reviewing: Client) -> None:
    for digit, label, verdict in [
        (3, 3, "digit"), (3, 3, "not_a_digit"), (3, 5, "digit"), (3, 5, "not_a_digit"),
        (3, NOT_A_DIGIT, "not_a_digit"), (3, NOT_A_DIGIT, "uncertain"), (3, 3, "uncertain"),
    ]:  # fmt: skip
        store(1, digit, label, verdict=verdict)

    right = Prediction.objects.correct().count()

    assert f"{100 * right / 7:.1f}\u00a0% of 7 labelled" in section(reviewing, "accuracy", HERE)
    assert (
        right == Prediction.objects.labelled().count() - Prediction.objects.misclassified().count()
    )


# --- the confusion matrix -------------------------------------------------------------------------


def cells(client: Client, query: str) -> dict[tuple[str, str], tuple[int, str]]:
    """The cells of the heat map: (label, answer) to how many, and the address."""
    found = re.findall(
        r'<a class="cell[^"]*" href="([^"]+)" aria-label="([\d,]+) drawings? labelled '
        r"“([^”]+)”, predicted “([^”]+)”\">",
        markup(client, query),
    )
    return {
        (label, answer): (int(n.replace(",", "")), html.unescape(url))
        for url, n, label, answer in found
    }


@pytest.fixture
def _mixed() -> None:
    """Drawings of two versions, ages, labels and answers, some of them audited."""
    old, new = make_version("old"), make_version("new")
    store(5, 4, 4, model_version=new)
    store(2, 9, 4, model_version=new)
    store(1, 4, 9, model_version=new, created_at=ago(days=40))
    store(3, 7, NOT_A_DIGIT, model_version=new)
    store(2, 7, NOT_A_DIGIT, model_version=new, verdict="not_a_digit")
    store(4, 7, 7, model_version=old, verdict="not_a_digit")
    store(6, 1, 7, model_version=old, audited=False)
    store(1, 1, 7, model_version=old, audited=False, verdict="not_a_digit")
    store(9, 4, None, model_version=new)
    store(2, 0, 0, model_version=old, audited=False, created_at=ago(days=200))


@pytest.mark.usefixtures("_mixed")
def test_the_matrix_counts_labels_and_answers(reviewing: Client) -> None:
    found = cells(reviewing, HERE)

    assert {pair: n for pair, (n, _url) in found.items()} == {
        ("4", "4"): 5,
        ("4", "9"): 2,
        ("9", "4"): 1,
        ("not a digit", "7"): 3,
        ("not a digit", "not a digit"): 2,
        ("7", "not a digit"): 4,
    }


@pytest.mark.usefixtures("_mixed")
@pytest.mark.parametrize(
    ("drawings", "period", "name"),
    [
        ("audited", "7", None),
        ("audited", "90", "new"),
        ("audited", "all", "old"),
        ("labelled", "30", "new"),
        ("labelled", "90", "old"),
        ("labelled", "all", None),
    ],
)
def test_every_cell_opens_its_drawings(
    reviewing: Client, drawings: str, period: str, name: str | None
) -> None:
    version = make_version(name).pk if name else None
    found = cells(reviewing, f"?version={version or 'all'}&drawings={drawings}&period={period}")
    by_hand = Prediction.objects.labelled()
    if drawings == "audited":
        by_hand = by_hand.filter(audited_at__isnull=False)
    if version is not None:
        by_hand = by_hand.filter(model_version=version)
    if period != "all":
        by_hand = by_hand.filter(created_at__gte=ago(days=int(period) - 1))

    assert sum(n for n, _url in found.values()) == by_hand.count()
    listed = set()
    for n, url in found.values():
        response = reviewing.get(url)
        assert response.status_code == 200, url
        rows = {row.pk for row in response.context["cl"].result_list}
        assert len(rows) == n, url
        listed |= rows
    assert listed == set(by_hand.values_list("pk", flat=True))


@pytest.mark.usefixtures("_mixed")
def test_the_table_says_the_same_with_the_same_links(reviewing: Client) -> None:
    page = markup(reviewing, EVERYTHING)
    links = re.findall(r'<td><a href="([^"]+)" aria-label="([^"]+)">', page)

    assert {html.unescape(url) for url, _name in links} == {
        url for _n, url in cells(reviewing, EVERYTHING).values()
    }
    assert table(reviewing, "confusion", EVERYTHING)["7"] == [
        *["0"], "6", *["0"] * 8, "5",
    ]  # fmt: skip


@pytest.mark.usefixtures("_mixed")
def test_the_most_frequent_mistakes_are_listed(reviewing: Client) -> None:
    found = section(reviewing, "confusion", EVERYTHING)

    assert "Most frequent errors: 7 as 1 (6), 7 as not a digit (5), not a digit as 7 (3)." in found


# --- digit by digit, and the confidence -----------------------------------------------------------


def test_precision_and_recall_come_with_their_numbers(reviewing: Client) -> None:
    store(18, 2, 2)
    store(2, 7, 2)
    store(9, 7, 7)
    store(1, 2, 7, verdict="not_a_digit")
    store(1, 5, 5)

    found = table(reviewing, "digits", HERE)

    # Of 20 twos 18 were predicted as 2; all 18 answers "2" were right.
    assert found["2"] == [
        "20", "90.0\u00a0%", "69.9 to 97.2\u00a0%", "18", "100.0\u00a0%", "82.4 to 100.0\u00a0%",
    ]  # fmt: skip
    # Of 10 sevens 9; of 11 answers "7" 9.
    assert found["7"][:2] == ["10", "90.0\u00a0%"]
    assert found["7"][3:5] == ["11", "81.8\u00a0%"]
    # The refused seven.
    assert found["not a digit"][3:5] == ["1", "0.0\u00a0%"]
    assert found["0"] == ["0", "–", "–", "0", "–", "–"]


def test_a_digit_with_too_few_drawings_is_not_drawn(reviewing: Client) -> None:
    store(9, 2, 2)

    found = section(reviewing, "digits", HERE)

    assert "No digit has 10 drawings yet." in found
    assert found.count("too few") == 11

    store(1, 2, 2)

    found = section(reviewing, "digits", HERE)
    assert "Digit 2 has the lowest recall: 100.0\u00a0% of its drawings" in found
    assert found.count("too few") == 10


def test_the_calibration_error_is_that_of_the_bins(reviewing: Client) -> None:
    # 60 with 90 %, 54 of them right: honest. 40 with 64 %, 20 right: 14 points off. 0.4 x 14 = 5.6.
    store(54, 3, 3, confidence=0.9)
    store(6, 3, 8, confidence=0.9)
    store(20, 3, 3, confidence=0.64)
    store(20, 3, 8, confidence=0.64)
    store(7, 3, NOT_A_DIGIT, confidence=0.99)

    found = section(reviewing, "reliability", HERE)

    assert "Drawings labelled as digits: 100. Mean confidence 79.6\u00a0%" in found
    assert "correct 74.0\u00a0%" in found
    assert "calibration error is 5.6 points ." in found
    assert table(reviewing, "reliability", HERE) == {
        "60.0 to 66.7\u00a0%": ["40", "64.0\u00a0%", "50.0\u00a0%", "35.2 to 64.8\u00a0%"],
        "86.7 to 93.3\u00a0%": ["60", "90.0\u00a0%", "90.0\u00a0%", "79.9 to 95.3\u00a0%"],
    }


@pytest.mark.parametrize(
    ("confidence", "bin"),
    [(0.0, "0.0 to 6.7"), (1.0, "93.3 to 100.0"), (0.2, "20.0 to 26.7"), (14 / 15, "93.3 to 100")],
)
def test_a_bin_holds_its_lower_edge(reviewing: Client, confidence: float, bin: str) -> None:
    store(1, 3, 3, confidence=confidence)

    (row,) = table(reviewing, "reliability", HERE)

    assert row.startswith(bin)


def test_the_reliability_is_of_the_chosen_version(reviewing: Client) -> None:
    old, new = make_version("old"), make_version("new")
    store(3, 3, 3, model_version=old, confidence=0.5)
    store(4, 3, 3, model_version=new, confidence=0.5)

    (row,) = table(reviewing, "reliability", f"?version={new.pk}").values()

    assert row[0] == "4"


def test_too_few_drawings_give_no_calibration_error(reviewing: Client) -> None:
    store(3, 3, 3)

    found = section(reviewing, "reliability", HERE)

    assert "A calibration error needs 7 more drawings." in found
    assert "points" not in found


# --- what is chosen -------------------------------------------------------------------------------


def test_it_opens_with_the_active_version_audited_in_90_days(reviewing: Client) -> None:
    make_prediction()

    page = markup(reviewing)

    assert re.search(r'<option value="\d+" selected>[^<]+ \(active\)</option>', page)
    assert '<option value="audited" selected>' in page
    assert '<option value="90" selected>' in page


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("?version=999999", "999999 is not one of the available choices."),
        ("?version=x", "x is not one of the available choices."),
        ("?period=8", "8 is not one of the available choices."),
        ("?drawings=best", "best is not one of the available choices."),
        ("?version=%00", "Select a valid choice."),
        ("?period=", "This field is required."),
        ("?version=9999999999999999999999", "is not one of the available choices."),
    ],
)
def test_an_invalid_choice_is_named_and_the_default_shown(
    reviewing: Client, query: str, says: str
) -> None:
    make_prediction()

    response = reviewing.get(PAGE + query)

    page = response.content.decode()
    assert response.status_code == 400
    assert says in page
    assert '<option value="90" selected>' in page
    assert '<option value="audited" selected>' in page


# --- what there is none of ------------------------------------------------------------------------


def test_an_empty_site_says_what_to_do(reviewing: Client) -> None:
    page = markup(reviewing)

    assert "Nothing has been drawn yet." in page
    assert '<a href="/">Draw a digit</a>' in page
    assert "<section" not in page


def test_without_labels_it_asks_for_some(reviewing: Client) -> None:
    store(1, 3, None)

    found = section(reviewing, "confusion")

    assert "No drawing of this period has a label yet." in found
    assert "No drawings were labelled in this period." in section(reviewing, "pace")
    assert "No visitor has confirmed" in section(reviewing, "suggestions")
    assert "Show all time" in found
    assert "Review drawings" in found


def test_users_who_may_only_view_are_not_sent_to_the_review(client: Client) -> None:
    client.force_login(make_staff("viewer", "view_prediction"))
    store(1, 3, None)

    assert "Review drawings" not in text(client)


def test_without_audits_it_offers_the_labelled_ones(reviewing: Client) -> None:
    version = make_version("tested-1")
    store(1, 3, 3, audited=False)

    page = markup(reviewing, f"?version={version.pk}&period=30")

    assert "None of these labelled drawings is audited yet." in page
    (link,) = set(re.findall(r'href="([^"]+)">Show all labelled drawings instead', page))
    shown = section(reviewing, "confusion", html.unescape(link))
    assert "predictions: 1." in shown


def test_without_labels_of_a_version_it_offers_the_others(reviewing: Client) -> None:
    store(1, 3, 3, model_version=make_version("old"))
    new = make_version("new")

    page = markup(reviewing, f"?version={new.pk}")

    assert "No drawing predicted by new in this period has a label yet." in page
    (link,) = set(re.findall(r'href="([^"]+)">Show all versions', page))
    assert "predictions: 1." in section(reviewing, "confusion", html.unescape(link))


def test_a_period_without_drawings_links_to_all_time(reviewing: Client) -> None:
    store(1, 3, 3, created_at=ago(days=200))

    assert "Nothing was drawn in this period." in section(reviewing, "answers")
    assert "without imports: 1." in section(reviewing, "answers", "?period=all")


# --- the page itself ------------------------------------------------------------------------------


@pytest.mark.usefixtures("_mixed")
def test_many_drawings_take_no_more_queries_than_few(reviewing: Client) -> None:
    reviewing.get(PAGE)
    with CaptureQueriesContext(connection) as few:
        reviewing.get(PAGE + HERE)
    for number in range(5):
        store(60, number, 3, model_version=make_version(f"more-{number}"), suggestion=number)

    with CaptureQueriesContext(connection) as many:
        reviewing.get(PAGE + HERE + "&period=all")

    assert len(many) == len(few) <= 22
    sql = [query["sql"] for query in many]
    for column in ("image", "probabilities", "serving", "training"):
        assert f'"{column}"' not in " ".join(sql)
    # Drift compares embeddings, of a limited number of drawings.
    reading = [query for query in sql if '"embedding"' in query]
    assert len(reading) == 2
    assert all(re.search(r"LIMIT \d+$", query.strip()) for query in reading)


@pytest.mark.usefixtures("_mixed")
def test_it_needs_no_inline_style_or_script(reviewing: Client) -> None:
    for query in ("", HERE, EVERYTHING, "?period=all", "?period=x"):
        response = reviewing.get(PAGE + query)
        assert not INLINE.search(response.content.decode())
        assert "'unsafe-inline'" not in response["Content-Security-Policy"]


@pytest.mark.usefixtures("_mixed")
@pytest.mark.parametrize("language", ["en-gb", "de"])
def test_its_charts_are_well_formed_in_every_language(reviewing: Client, language: str) -> None:
    store(60, 3, 3, suggestion=3)
    store(60, 3, 5, suggestion=5, verdict="uncertain")
    reviewing.defaults["HTTP_ACCEPT_LANGUAGE"] = language
    page = markup(reviewing, HERE)

    # A chart ends where a line starts with its end; those inside it, and the keys, don't.
    charts = re.findall(r"<svg (?:(?!<svg ).)*?role=\"(?:img|group)\".*?\n</svg>", page, re.DOTALL)
    assert len(charts) == 6
    for chart in charts:
        root = ElementTree.fromstring(chart)
        for element in root.iter():
            for name in ("x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "width", "height"):
                value = element.get(name, "0")
                assert re.fullmatch(r"-?\d+(\.\d+)?%?", value), (element.tag, name, value)


@pytest.mark.usefixtures("_mixed")
def test_every_chart_has_a_name_a_sentence_and_its_numbers(reviewing: Client) -> None:
    store(60, 3, 3, suggestion=3)
    page = markup(reviewing, HERE)

    charts = re.findall(r"<svg [^>]*role=\"(?:img|group)\"[^>]*>", page)
    assert len(charts) == 6
    for chart in charts:
        for attribute in ("aria-labelledby", "aria-describedby"):
            named = re.search(rf'{attribute}="([^"]+)"', chart)
            assert named is not None
            assert page.count(f'id="{named[1]}"') == 1
    assert page.count("<summary>Show table</summary>") == 6


def test_a_filter_for_audited_drawings_and_one_for_the_answer(reviewing: Client) -> None:
    store(2, 3, 3)
    store(1, 3, 3, audited=False)
    store(1, 3, 5, verdict="not_a_digit")

    def count(query: str) -> int:
        found: int = reviewing.get(f"{LIST}?{query}").context["cl"].result_count
        return found

    assert count("audited=yes") == 3
    assert count("audited=no") == 1
    assert count("answer=3") == 3
    assert count("answer=10") == 1
    assert count("digit=3") == 4
