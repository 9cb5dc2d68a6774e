"""Answers that are sent while they are made hold no connection while somebody reads them."""

from collections.abc import Iterator

import pytest
from django.db import connection

from core import csv_files
from core.db import lending, run_prepared

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def _pool() -> Iterator[None]:
    """Have connections in a pool, as web processes do."""
    connection.close()
    before = connection.settings_dict["CONN_MAX_AGE"]
    connection.settings_dict["OPTIONS"]["pool"] = {"min_size": 1, "max_size": 1}
    connection.settings_dict["CONN_MAX_AGE"] = 0
    yield
    connection.close()
    connection.close_pool()  # type: ignore[attr-defined]  # what only PostgreSQL has
    del connection.settings_dict["OPTIONS"]["pool"]
    connection.settings_dict["CONN_MAX_AGE"] = before


def numbers() -> Iterator[list[csv_files.Cell]]:
    for number in range(3 * csv_files.LINES_AT_ONCE):
        yield [row[0] for row in run_prepared("SELECT $1::bigint", [number])]


@pytest.mark.usefixtures("_pool")
def test_a_file_holds_no_connection_between_its_pieces() -> None:
    pieces = iter(csv_files.answer("numbers.csv", ["number"], numbers()))
    for _piece in range(2):
        assert b"\r\n" in next(pieces)
        assert connection.connection is None
    assert len(b"".join(pieces).splitlines()) > csv_files.LINES_AT_ONCE


@pytest.mark.usefixtures("_pool")
def test_what_is_lent_is_all_there() -> None:
    assert list(lending(str(row[0]) for n in range(3) for row in run_prepared("SELECT $1::bigint", [n]))) == [
        "0",
        "1",
        "2",
    ]
