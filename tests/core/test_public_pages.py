"""Pages for anybody: kept for those who are not signed in, and for nobody else."""

import gzip
from typing import Any

import pytest
from django.conf import settings
from django.contrib import messages
from django.contrib.messages.storage.cookie import CookieStorage
from django.http import Http404, HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from core import public_pages
from core.public_pages import public_page
from tests import factories

made: list[str] = []


@public_page(query=frozenset({"sort"}))
def page(request: HttpRequest, name: str) -> HttpResponse:
    """Count how often it is made."""
    made.append(name)
    if name == "nothing":
        raise Http404
    return HttpResponse(f"<p>{name} {len(made)} {request.GET.get('sort', '')}</p>" * 20)


@pytest.fixture(autouse=True)
def anew() -> None:
    """Begin with nothing kept in the process."""
    public_pages.forget()


def ask(path: str, **headers: str) -> HttpResponse:
    request = RequestFactory().get(path, headers=headers)
    return page(request, name=path.partition("?")[0].strip("/"))


def test_a_page_is_made_once_for_all_who_are_not_signed_in() -> None:
    first = ask("/once")
    public_pages.forget()  # another process
    again = ask("/once")
    assert (first.content, first["ETag"]) == (again.content, again["ETag"])
    assert first["Cache-Control"] == "public, s-maxage=30, stale-while-revalidate=60"
    assert {one.strip() for one in first["Vary"].split(",")} == {"Accept-Encoding", "Cookie"}


def test_it_is_sent_compressed_to_who_takes_it_and_not_at_all_to_who_has_it() -> None:
    plain = ask("/sent")
    packed = ask("/sent", Accept_Encoding="gzip, br")
    assert packed["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.content) == plain.content
    known = ask("/sent", If_None_Match=plain["ETag"])
    assert (known.status_code, known.content) == (304, b"")


def test_who_is_signed_in_gets_a_page_of_his_own_that_nobody_keeps() -> None:
    ask("/own")
    before = len(made)
    own = ask("/own", Cookie=f"{settings.SESSION_COOKIE_NAME}=x")
    assert len(made) == before + 1
    assert own["Cache-Control"] == "private, no-store"
    assert "ETag" not in own


def test_only_declared_parameters_and_the_theme_make_another_page() -> None:
    plain = ask("/asked")
    assert ask("/asked?utm=1").content == plain.content
    assert b"rarity" in ask("/asked?sort=rarity").content
    before = len(made)
    ask("/asked", Cookie="theme=light")
    ask("/asked", Cookie="theme=no-such-theme")
    assert len(made) == before + 1


def test_what_is_not_there_is_not_kept() -> None:
    for _ in range(2):
        before = len(made)
        with pytest.raises(Http404):
            ask("/nothing")
        assert len(made) == before + 1


def _passed_the_readers_middlewares(response: Any) -> bool:
    return hasattr(response.wsgi_request, "session")


@pytest.mark.django_db
def test_what_was_just_sent_to_anybody_is_sent_again_with_the_same_headers() -> None:
    first, again = Client().get("/games"), Client().get("/games")
    assert _passed_the_readers_middlewares(first)
    assert not _passed_the_readers_middlewares(again)
    own = {"X-Request-Id"}
    assert {name: value for name, value in again.items() if name not in own} == {
        name: value for name, value in first.items() if name not in own
    }
    assert first["X-Request-Id"] != again["X-Request-Id"]
    assert first.content == again.content
    assert "frame-ancestors" in again["Content-Security-Policy"]


@pytest.mark.django_db
def test_it_is_sent_again_as_each_reader_takes_it() -> None:
    plain = Client().get("/games")
    packed = Client().get("/games", headers={"Accept-Encoding": "gzip"})
    assert packed["Content-Encoding"] == "gzip"
    assert packed["Content-Length"] == str(len(packed.content))
    assert gzip.decompress(packed.content) == plain.content
    known = Client().get("/games", headers={"If-None-Match": plain["ETag"]})
    assert (known.status_code, known.content) == (304, b"")
    assert "Content-Type" not in known
    assert known["Cache-Control"] == plain["Cache-Control"]
    light = Client()
    light.cookies["theme"] = "light"
    assert light.get("/games").content != plain.content


@pytest.mark.django_db
def test_who_may_be_signed_in_or_asks_for_more_goes_the_whole_way() -> None:
    Client().get("/games")
    member = Client()
    member.cookies[settings.SESSION_COOKIE_NAME] = "of-somebody"
    for response in (member.get("/games"), Client().get("/games?q=x"), Client().post("/games")):
        assert _passed_the_readers_middlewares(response)


@pytest.mark.django_db
def test_another_host_and_another_scheme_have_pages_of_their_own(settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["one.example", "two.example"]
    Client().get("/games", headers={"Host": "one.example"})
    assert _passed_the_readers_middlewares(Client().get("/games", headers={"Host": "two.example"}))
    assert _passed_the_readers_middlewares(
        Client().get("/games", headers={"Host": "one.example"}, secure=True)
    )
    assert Client().get("/games", headers={"Host": "evil.example"}).status_code == 400
    assert not _passed_the_readers_middlewares(Client().get("/games", headers={"Host": "one.example:81"}))


@pytest.mark.django_db
def test_a_one_time_message_is_told_to_its_reader_alone() -> None:
    """Whose login has ended is told so by a message in a cookie of its own: no page with it is kept for anybody."""
    told, answer = CookieStorage(RequestFactory().get("/")), HttpResponse()
    told.add(messages.SUCCESS, "You have signed out.")
    told.update(answer)
    player = factories.player(factories.studio(), display_name="Ada")
    reader, path = Client(), f"/players/{player.uuid}"
    reader.cookies["messages"] = answer.cookies["messages"].value
    mine = reader.get(path)
    assert "You have signed out." in mine.content.decode()
    assert mine["Cache-Control"] == "private, no-store"
    others = Client().get(path)
    assert others["Cache-Control"] == public_pages.WITHDRAWABLE
    assert "You have signed out." not in others.content.decode()
