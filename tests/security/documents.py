"""What a browser makes of an answer: HTML is parsed as its standard says, by html5lib, and XML as XML."""

import json
import re
from collections.abc import Iterator
from typing import Any, Final, NamedTuple
from urllib.parse import urljoin, urlsplit
from xml.etree import ElementTree as ET

import html5lib

# Attributes that lead somewhere or load something.
ADDRESSES: Final = frozenset(
    {"href", "src", "action", "formaction", "poster", "data", "background", "cite", "ping", "manifest"}
)
# Elements that run, embed or lead on, of which our pages have none but scripts.
_NEVER: Final = frozenset({"iframe", "frame", "object", "embed", "applet", "base", "portal", "fencedframe"})
_SCHEMES: Final = frozenset({"", "http", "https", "mailto"})
_NAME: Final = re.compile(r"[a-z_][a-z0-9_:.-]*", re.IGNORECASE | re.ASCII)
# What browsers take out of an address before they read it.
_PASSED_OVER: Final = re.compile(r"[\x00-\x20\x7f]")
_JSON: Final = "application/json"


class Form(NamedTuple):
    """A form as a browser would send it, its buttons left out but for the first; `typed` are fields of free text."""

    method: str
    action: str
    fields: dict[str, str]
    typed: frozenset[str]
    is_file: bool


def html(text: str) -> Any:
    """Return a page's root element, without namespaces: an SVG's elements are named like any other's."""
    return html5lib.parse(text, treebuilder="etree", namespaceHTMLElements=False)


def let_go(answer: Any) -> None:
    """Close what an answer holds; its own `close` would end the test's connection to the database as well."""
    for close in answer._resource_closers:
        close()


def faults(root: Any) -> list[str]:
    """Return what a page has that can't be of our templates: scripts, handlers, and addresses that run something."""
    return [f"<{name}>: {fault}" for element, name in _elements(root) for fault in _faults(element, name)]


def _faults(element: Any, name: str) -> Iterator[str]:
    if name in _NEVER:
        yield "is on none of our pages"
    if name == "meta" and element.get("http-equiv", "").lower() == "refresh":
        yield "leads on"
    if name == "script":
        yield from _of_script(element)
    for spelled, value in element.attrib.items():
        attribute = _local(spelled).lower()
        if not _NAME.fullmatch(attribute):
            yield f"has an attribute {attribute!r}"
        if attribute.startswith("on") or attribute in ("srcdoc", "style"):
            yield f"has {attribute}={value!r}"
        if attribute in ADDRESSES and scheme(value) not in _SCHEMES and not _is_picture(name, value):
            yield f"has {attribute}={value!r}"


def _of_script(element: Any) -> Iterator[str]:
    text = "".join(element.itertext())
    if element.get("type") == _JSON:
        try:
            json.loads(text)
        except ValueError:
            yield f"holds no JSON: {text[:200]!r}"
    elif text.strip():
        yield f"runs {text[:200]!r}"
    elif not element.get("src", "").startswith(("/static/", "/admin/jsi18n/")):
        yield f"runs {element.get('src')!r}"


def _is_picture(name: str, value: str) -> bool:
    return name == "img" and value.startswith("data:image/")


def scheme(address: str) -> str:
    """Return the scheme of an address as a browser reads it, empty for one of the page's own."""
    before, colon, _ = _PASSED_OVER.sub("", address).partition(":")
    return before.lower() if colon and re.fullmatch(r"[a-z][a-z0-9+.-]*", before, re.IGNORECASE) else ""


def hosts(root: Any, *, but: frozenset[str] = frozenset()) -> set[str]:
    """Return to which other hosts a page's links and forms lead; pictures load from anywhere, and lead nowhere."""
    return {
        host
        for element, name in _elements(root)
        if name in ("a", "area", "form", "button", "input", "link")
        for attribute in ("href", "action", "formaction")
        if (host := led_to(element.get(attribute, ""))) and host not in but
    }


def led_to(address: str) -> str:
    """Return the host that a browser is led to from a page of ours by an address, empty for ours."""
    here = "http://here.example/some/page"
    text = re.sub(r"[\t\r\n]", "", address).strip("".join(map(chr, range(0x21)))).replace("\\", "/")
    # `https:evil` and `https:///evil` are evil's to browsers, which do not count slashes.
    text = re.sub(r"^(https?):/*", r"\1://", text, flags=re.IGNORECASE)
    text = re.sub(r"^//+", "//", text)
    host = urlsplit(urljoin(here, text)).hostname or ""
    return "" if host == "here.example" else host


def xml_faults(body: bytes) -> list[str]:
    """Return what a picture or a feed of ours has that runs, embeds or leads where a script does."""
    wrong = []
    for element in ET.fromstring(body).iter():
        name = _local(element.tag)
        if name in ("script", "foreignObject", "image", "iframe", "style", "handler", "set", "animate"):
            wrong.append(f"<{name}>")
        for attribute, value in element.attrib.items():
            if _local(attribute).lower().startswith("on") or (
                _local(attribute) == "href" and scheme(value) not in _SCHEMES
            ):
                wrong.append(f"<{name}> has {attribute}={value!r}")
    return wrong


def said(root: Any) -> str:
    """Return everything that a page says or holds: its texts and its attributes."""
    held = (value for element, _ in _elements(root) for value in element.attrib.values())
    return "\n".join([*root.itertext(), *held])


def forms(root: Any) -> list[Form]:
    """Return a page's forms."""
    return [_form(element, root) for element, name in _elements(root) if name == "form"]


_TEXT: Final = frozenset({"text", "search", "email", "url", "password", "tel", "number", "date", "time", ""})


def _form(form: Any, root: Any) -> Form:
    fields: dict[str, str] = {}
    typed: set[str] = set()
    inside = {id(element) for element in form.iter()}
    is_file = False
    for element, name in _elements(root):
        belongs = id(element) in inside or (element.get("form") and element.get("form") == form.get("id"))
        field, kind = element.get("name"), element.get("type", "").lower()
        if not belongs or not field or name not in ("input", "textarea", "select", "button"):
            continue
        is_file = is_file or kind == "file"
        if name == "textarea" or (name == "input" and kind in _TEXT):
            typed.add(field)
            fields[field] = "".join(element.itertext()) if name == "textarea" else element.get("value", "")
        elif name == "select":
            fields[field] = _chosen(element)
        elif name == "input" and (kind not in ("checkbox", "radio", "file") or "checked" in element.attrib):
            fields[field] = element.get("value", "on")
        elif name == "button" and kind in ("submit", "") and field not in fields:
            fields[field] = element.get("value", "")
    return Form(form.get("method", "get").lower(), form.get("action", ""), fields, frozenset(typed), is_file)


def _chosen(select: Any) -> str:
    options = [element for element, name in _elements(select) if name == "option"]
    chosen = [one for one in options if "selected" in one.attrib] or options
    return str(chosen[0].get("value", "")) if chosen else ""


def _elements(root: Any) -> Iterator[tuple[Any, str]]:
    for element in root.iter():
        if isinstance(element.tag, str):  # comments are functions
            yield element, _local(element.tag).lower()


def _local(name: str) -> str:
    return name.rpartition("}")[2]
