"""Every address of the `web` process as the URL conf has it, so that a new one is looked at without anybody's doing."""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import allauth
from django.apps import apps
from django.conf import settings
from django.urls import URLPattern, URLResolver, get_resolver

# What is no page: a caller there names himself by a header, or nobody.
API, MEDIA = "api/", "media/"
# Parts of an address: `<uuid:game>` as paths are spelled, and `(?P<key>…)` as expressions are.
_PART = re.compile(r"<(?:\w+:)?(\w+)>")
_GROUP = re.compile(r"\(\?P<(\w+)>(?:\[[^]]*\]|\\.|[^()])*\)")

# What a view reads of a query or a form, by name.
_READ = re.compile(r"""\.(?:GET|POST)(?:\.get|\.getlist)?[(\[]\s*["']([\w-]+)["']""")


class Address(NamedTuple):
    """An address: how it is spelled (its parts as `<name>`), its name, and what answers there."""

    route: str
    name: str
    view: Callable[..., Any]

    @property
    def parts(self) -> set[str]:
        """The names of what stands in it."""
        return set(_PART.findall(self.route))

    def path(self, named: Mapping[str, object]) -> str:
        """Return it with everything that is named in it."""
        return "/" + _PART.sub(lambda found: quote(str(named[found[1]]), safe="/:@"), self.route)


def addresses() -> list[Address]:
    """Return all of them, in the order in which Django tries them; of two that are spelled alike the first one."""
    found: dict[str, Address] = {}
    for one in _below(get_resolver().url_patterns, ""):
        found.setdefault(one.route, one)
    return list(found.values())


def pages() -> list[Address]:
    """Return those that belong to no API and are no pictures: where a browser's cookies count."""
    return [one for one in addresses() if not one.route.startswith((API, MEDIA))]


@cache
def parameters() -> frozenset[str]:
    """Return every name that our views or allauth's read of a query or a form, and `next`, which has a constant."""
    ours = [Path(one.path) for one in apps.get_app_configs() if Path(one.path).parent == settings.BASE_DIR]
    sources = (file for folder in (*ours, Path(allauth.__path__[0])) for file in folder.rglob("*.py"))
    return frozenset(name for file in sources for name in _READ.findall(file.read_text())) | {"next"}


def _below(patterns: list[Any], before: str) -> Iterator[Address]:
    for one in patterns:
        route = before + _spelled(str(one.pattern))
        if isinstance(one, URLResolver):
            yield from _below(one.url_patterns, route)
        elif isinstance(one, URLPattern):
            yield Address(route, one.name or "", one.callback)


def _spelled(pattern: str) -> str:
    return _GROUP.sub(r"<\1>", pattern).removeprefix("^").removesuffix("$")
