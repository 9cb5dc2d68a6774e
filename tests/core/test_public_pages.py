"""Pages for anybody: kept for those who are not signed in, and for nobody else."""

import gzip

import pytest
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.test import RequestFactory

from core import public_pages
from core.public_pages import public_page

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
