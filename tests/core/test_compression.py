"""Pages are sent compressed, and nothing else."""

import gzip

import pytest
from django.test import Client

from tests import factories

pytestmark = pytest.mark.django_db
GZIP = {"Accept-Encoding": "gzip, br"}


def test_a_page_is_compressed_for_who_can_read_it() -> None:
    plain, packed = Client().get("/account/login/"), Client().get("/account/login/", headers=GZIP)
    assert packed["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in packed["Vary"]
    assert b"</html>" in gzip.decompress(packed.content)
    assert len(packed.content) < len(plain.content) / 2
    assert "Content-Encoding" not in plain


def test_an_answer_of_the_api_is_not() -> None:
    studio = factories.studio()
    for number in range(20):
        factories.game(studio, title=f"A game {number}")
    answer = factories.api(factories.server_key(studio)).get("/games", **GZIP)
    assert answer.status_code == 200
    assert len(answer.content) > 1000
    assert "Content-Encoding" not in answer
