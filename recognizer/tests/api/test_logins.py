"""Wrong passwords are limited before they are checked, and nobody can lock others out."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from recognizer.tests.support.logins import LOGIN

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def staff(user: User, settings: Settings) -> User:
    """Return ada, whose password is "pass-of-ada", on a site with the default limit."""
    rates = {**settings.REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"], "login": "10/hour"}
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "DEFAULT_THROTTLE_RATES": rates}
    user.is_staff = True
    user.save()
    return user


class Counting(PBKDF2PasswordHasher):
    """Counts the passwords that are checked."""

    iterations = 1
    checked = 0

    def encode(self, password: str, salt: str, iterations: int | None = None) -> str:
        Counting.checked += 1
        return super().encode(password, salt, iterations)


@pytest.fixture
def hasher(settings: Settings, staff: User) -> type[Counting]:
    settings.PASSWORD_HASHERS = [f"{__name__}.Counting"]
    staff.set_password("pass-of-ada")
    staff.save()
    Counting.checked = 0
    return Counting


def attempt(password: str, *, name: str = "ada", address: str = "192.0.2.1") -> Any:
    form = {"username": name, "password": password}
    return Client().post(LOGIN, form, REMOTE_ADDR=address)


def test_after_ten_wrong_passwords_none_is_checked(hasher: type[Counting]) -> None:
    codes = [attempt(f"wrong {n}").status_code for n in range(10)]
    refused = attempt("pass-of-ada")

    assert codes == [200] * 10
    assert hasher.checked == 10
    assert refused.status_code == 429
    assert 3000 < int(refused["Retry-After"]) <= 3600
    assert "Too many attempts to log in. Try again in 60 minutes." in refused.content.decode()


def test_another_address_can_still_log_in() -> None:
    for n in range(12):
        attempt(f"wrong {n}")

    assert attempt("pass-of-ada").status_code == 429
    assert attempt("pass-of-ada", address="192.0.2.2").status_code == 302


def test_one_address_cannot_try_many_accounts() -> None:
    codes = [attempt("123456", name=f"user{n}").status_code for n in range(51)]

    assert codes == [200] * 50 + [429]


def test_many_addresses_cannot_try_one_account_but_its_owner_gets_in() -> None:
    assert attempt("pass-of-ada", address="198.51.100.1").status_code == 302

    codes = [attempt(f"wrong {n}", address=f"192.0.2.{n}").status_code for n in range(101)]

    assert codes == [200] * 100 + [429]
    # From where they have logged in before.
    assert attempt("pass-of-ada", address="198.51.100.1").status_code == 302
    assert attempt("pass-of-ada", address="198.51.100.2").status_code == 429


def test_right_passwords_do_not_count() -> None:
    # As many as a school class.
    codes = {attempt("pass-of-ada").status_code for _ in range(60)}

    assert codes == {302}


def test_a_right_password_forgets_the_wrong_ones() -> None:
    for _round in range(2):
        for n in range(9):
            attempt(f"wrong {n}")
        assert attempt("pass-of-ada").status_code == 302


def test_off_sets_no_limit(settings: Settings) -> None:
    rates = {**settings.REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"], "login": None}
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "DEFAULT_THROTTLE_RATES": rates}

    assert {attempt("wrong").status_code for _ in range(20)} == {200}
