"""Passwords as they are kept: by Argon2id, exchanged where they were kept otherwise, few at once."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth import hashers
from django.contrib.auth.hashers import identify_hasher, make_password

from accounts import hashing
from accounts.hashing import AT_ONCE, WAITING, Argon2id, TooMany
from accounts.models import User
from config.settings.security import PASSWORD_HASHERS
from tests.accounts.entrance import PASSWORD, browser, is_signed_in, sign_in, user

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
REAUTHENTICATE = "/account/reauthenticate/"


@pytest.fixture(autouse=True)
def _as_shipped(settings: Any) -> None:
    settings.PASSWORD_HASHERS = PASSWORD_HASHERS


def kept() -> str:
    return str(User.objects.values_list("password", flat=True).get())


def keep_as_before(how: str) -> None:
    User.objects.update(password=make_password(PASSWORD, hasher=how))


def test_a_password_is_kept_as_argon2id_with_at_least_what_owasp_asks_for() -> None:
    user()
    read = Argon2id().decode(kept())
    assert read["variety"] == "argon2id"
    assert (read["memory_cost"], read["time_cost"], read["parallelism"]) == (19_456, 2, 1)


@pytest.mark.parametrize("how", ["scrypt", "pbkdf2_sha256"])
def test_an_older_hash_is_exchanged_when_its_owner_signs_in(how: str) -> None:
    user()
    keep_as_before(how)
    assert sign_in(browser(), password="not-the-password-of-ada").status_code == 422
    assert identify_hasher(kept()).algorithm == how
    client = browser()
    assert sign_in(client).status_code == 302
    assert identify_hasher(kept()).algorithm == "argon2"
    assert is_signed_in(client)
    assert sign_in(browser()).status_code == 302


def test_who_proves_by_an_older_hash_to_be_there_stays_signed_in() -> None:
    ada, client = user(), browser()
    keep_as_before("scrypt")
    client.force_login(User.objects.get(pk=ada.pk))
    key = client.session.session_key
    assert client.post(REAUTHENTICATE, {"password": PASSWORD}).status_code == 302
    assert identify_hasher(kept()).algorithm == "argon2"
    assert is_signed_in(client)
    assert client.session.session_key == key  # by which what listens beside it is known


@pytest.fixture
def all_reckon() -> Iterator[None]:
    """Let every place be taken, by those who reckon and those who wait."""
    taken = [hashing._admitted.acquire(blocking=False) for _ in range(AT_ONCE + WAITING)]
    yield
    hashing._admitted.release(len(taken))


@pytest.mark.usefixtures("all_reckon")
def test_one_password_too_many_is_told_to_come_again_and_counts_for_no_attempt() -> None:
    with pytest.raises(TooMany):
        make_password(PASSWORD)
    client = browser()
    for _ in range(12):
        answer = sign_in(client)
        assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert "Many people are signing in" in answer.content.decode()
    assert not is_signed_in(client)


def test_who_waited_for_too_long_gives_his_place_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hashing, "_WAIT_S", 0.01)
    taken = [hashing._reckoning.acquire(blocking=False) for _ in range(AT_ONCE)]
    for _ in range(AT_ONCE + WAITING + 1):
        with pytest.raises(TooMany):
            make_password(PASSWORD)
    hashing._reckoning.release(len(taken))
    assert make_password(PASSWORD)


def test_no_more_than_so_many_are_reckoned_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    at_once, most, lock, names = 0, 0, threading.Lock(), set()
    reckon = hashers.Argon2PasswordHasher.encode

    def counted(self: Any, password: str, salt: str) -> str:
        nonlocal at_once, most
        with lock:
            at_once += 1
            most = max(most, at_once)
            names.add(threading.current_thread().name)
        try:
            return str(reckon(self, password, salt))
        finally:
            with lock:
                at_once -= 1

    monkeypatch.setattr(hashers.Argon2PasswordHasher, "encode", counted)
    monkeypatch.setattr(hashing, "_WAIT_S", 60)
    threads = [threading.Thread(target=make_password, args=[PASSWORD]) for _ in range(AT_ONCE + WAITING)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 1 < most <= AT_ONCE
    assert len(names) <= AT_ONCE, "what a thread has allocated it keeps"
