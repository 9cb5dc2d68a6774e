"""What stock parsers let through or crash on is refused."""

import io
import time
from typing import Any

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from core.refusals import Invalid, Malformed
from core.rendering import dumps
from core.strict_json import MAX_DEPTH, loads
from tests import factories


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"a": 1} x',
        b"\xef\xbb\xbf{}",
        '{"a": 1}'.encode("utf-16"),
        b'{"a": "\xff"}',
        b'{"a": 1, "a": 2}',
        b'[{"b": [{"a": 1, "a": 1}]}]',
        b'{"a": ' + b"1" * 5000 + b"}",
        b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1),
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"{'a': 1}",
        b"{a: 1}",
        b'{"a": 01}',
        b'{"a": "\n"}',
        b"\xed\xa0\x80",
    ],
)
def test_what_is_not_strict_json_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed):
        loads(body)


def test_a_name_that_occurs_twice_among_many_is_found_at_once() -> None:
    names = ",".join(f'"{number:x}":0' for number in range(100_000))
    started = time.process_time()
    with pytest.raises(Malformed, match="'1869f' occurs twice"):
        loads(f'{{{names},"1869f":0}}'.encode())
    assert time.process_time() - started < 2.0


@pytest.mark.parametrize(
    "body",
    [
        rb'{"a": "\u0000"}',
        rb'{"a\u0000": 1}',
        rb'{"a": ["x", "\ud800"]}',
        rb'{"a": "\udc00x"}',
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": 1e400}',
    ],
)
def test_values_that_cannot_be_stored_are_invalid(body: bytes) -> None:
    with pytest.raises(Invalid):
        loads(body)


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (rb'"\ud83c\udfc6"', "🏆"),
        (rb'"\\u0000"', r"\u0000"),
        (b"[" * MAX_DEPTH + b"]" * MAX_DEPTH, None),
        (b'{"a": {"a": 1}}', {"a": {"a": 1}}),
        (b"9223372036854775808", 2**63),
        (b" null ", None),
    ],
)
def test_everything_else_is_read(body: bytes, value: object) -> None:
    read = loads(body)
    if value is not None:
        assert read == value


_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.text(st.characters(exclude_characters="\0", codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_characters="\0", codec="utf-8")), inner, max_size=4)
    ),
    max_leaves=20,
)


@pytest.mark.slow
@given(_values)
def test_what_the_platform_writes_it_reads(value: object) -> None:
    assert loads(dumps(value)) == value


def changed(**environ: Any) -> tuple[Any, str]:
    """Send a change of a game with this environment of WSGI's; return the answer and the game's title."""
    studio = factories.studio()
    game = factories.game(studio)
    headers = {"Authorization": f"Bearer {factories.server_key(studio)}"}
    client: Any = Client()
    answer = client.generic("PATCH", f"/api/v1/games/{game.uuid}", headers=headers, **environ)
    game.refresh_from_db()
    return answer, game.title


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("content_type", "status"), [("application/json", 400), ("text/plain", 415), ("", 415)]
)
@pytest.mark.parametrize("length", ["", "0", "abc", "-1", "1_0", "٣"])
def test_a_body_without_a_length_is_not_taken_for_an_empty_object(
    length: str, content_type: str, status: int
) -> None:
    """`{}` is a fine change of a game: nothing at all is not."""
    answer, title = changed(CONTENT_LENGTH=length, CONTENT_TYPE=content_type)
    assert answer.status_code == status, answer.content
    if status == 415:
        assert "`Content-Type: application/json`" in answer.json()["detail"]
    assert title == "Emberwake"


@pytest.mark.django_db
@pytest.mark.parametrize("environ", [{"HTTP_TRANSFER_ENCODING": "chunked"}, {"SERVER_PROTOCOL": "HTTP/2"}])
def test_a_body_in_parts_is_read(environ: dict[str, str]) -> None:
    """The server hands it over without a length, and it ends by itself."""
    body = {"wsgi.input": io.BytesIO(b'{"title": "In parts"}'), "CONTENT_TYPE": "application/json"}
    answer, title = changed(**body, **environ)
    assert answer.status_code == 200, answer.content
    assert title == "In parts"
