"""Steam's key-value files: an app's schema (stats, bits, display) and Steamworks' localisation file.

Steamworks names a new achievement `NEW_ACHIEVEMENT_1_0` and its texts `NEW_ACHIEVEMENT_1_0_NAME`, `…_DESC`.
In a localisation file that comes alone the keys are therefore what stands before `_NAME` and `_DESC`; in a
zip with the schema, the schema's `token` entries say which achievement a text belongs to.
Source: Steamworks documentation, "Stats and Achievements"; developer.valvesoftware.com, "KeyValues".
"""

import io
from collections.abc import Iterator
from typing import Final

import vdf

from achievements.formats import foreign
from achievements.formats.archive import Files
from achievements.formats.document import UNSET, Collector, ImportedFile, Unreadable
from achievements.formats.encoding import decode
from core.texts import quoted

# A block takes a few hundred bytes of memory and two of the file.
_MAX_BLOCKS: Final = 100_000
# The library reads a quoted text again from its start with every line it goes on: without bounds, an open
# quote takes quadratic time, an hour for 10 MiB.
_MAX_LINES_OF_TEXT: Final = 20
_MAX_LINE: Final = 16_384
_MAX_LINES: Final = 300_000
_SUFFIXES: Final = {"_NAME": "name", "_DESC": "desc"}

Tokens = dict[str, dict[str, object]]
"""Token → language → text."""


class _Block(dict[str, object]):
    """A block in which a repeated name is an error: the library would silently keep the last."""

    def __setitem__(self, name: str, value: object) -> None:
        if name in self:
            raise SyntaxError(f"{quoted(name)} stands twice in one block")
        super().__setitem__(name, value)


class _Lines:
    """Lines for the library, which iterates over them and calls `next` to go on inside a quoted text."""

    def __init__(self, text: str) -> None:
        self._lines = io.StringIO(text, newline=None)
        self._line_number = self._text_lines = 0

    def readline(self) -> str:
        line = self._lines.readline()
        self._line_number += 1
        if len(line) > _MAX_LINE:
            raise SyntaxError(f"line {self._line_number:,} is longer than {_MAX_LINE:,} characters")
        if self._line_number > _MAX_LINES:
            raise SyntaxError(f"it has more than {_MAX_LINES:,} lines")
        return line

    def __iter__(self) -> Iterator[str]:
        while line := self.readline():
            self._text_lines = 0
            yield line

    def __next__(self) -> str:
        self._text_lines += 1
        if self._text_lines > _MAX_LINES_OF_TEXT:
            raise SyntaxError(f"a quote before line {self._line_number:,} is never closed")
        if line := self.readline():
            return line
        raise StopIteration


def read(files: Files) -> ImportedFile:
    """Read a schema, a localisation file, or both; rows are counted from 1 in the order of the file.

    Raises: Unreadable when they are not such files.
    """
    schemas, tokens = [], Tokens()
    for name, body in files.items():
        root = _parse(name, body)
        if "lang" in root:
            _read_tokens(_block(root["lang"]), tokens)
        else:
            schemas.append(root)
    found = Collector()
    if schemas:
        used = _read_schemas(schemas, tokens, found)
        for token in sorted(tokens.keys() - used):
            found.error(0, f"No achievement of the schema has the text {quoted(token)}: take it out.")
    else:
        _read_localisation(tokens, found)
    return found.result()


def _parse(name: str, body: bytes) -> _Block:
    text = decode(body)
    if text.count("{") > _MAX_BLOCKS:
        raise Unreadable(f"The file holds more than {_MAX_BLOCKS:,} blocks: split it.")
    try:
        root: _Block = vdf.parse(_Lines(text), mapper=_Block, merge_duplicate_keys=False)
    except SyntaxError as problem:
        place = f" {quoted(name)}" if name else ""
        line = f", line {problem.lineno:,}" if problem.lineno else ""
        raise Unreadable(f"The file{place} is not VDF ({_reason(problem)}{line}): correct it.") from None
    return root


def _reason(problem: SyntaxError) -> str:
    return (
        str(problem.msg)
        .removeprefix("vdf.parse: ")
        .replace("parenthasis", "bracket")
        .replace("openning", "opening")
    )


def _block(value: object) -> _Block:
    return value if isinstance(value, _Block) else _Block()


def _read_tokens(lang: _Block, tokens: Tokens) -> None:
    for language, content in lang.items():
        for token, text in _block(_block(content).get("Tokens")).items():
            tokens.setdefault(token, {})[language] = text


def _read_schemas(schemas: list[_Block], tokens: Tokens, found: Collector) -> set[str]:
    """Add every achievement of the schemas; return the tokens that they use."""
    used: set[str] = set()
    bits = [bit for schema in schemas for bit in _bits(schema)]
    if not bits:
        raise Unreadable(
            "The file names no achievements: give a schema with stats and bits, or a localisation file."
        )
    texts = [
        [_texts(_block(bit.get("display")).get(f), tokens, used) for f in ("name", "desc")] for bit in bits
    ]
    default = foreign.default_language(name for name, _ in texts)
    for row, (bit, (name, description)) in enumerate(zip(bits, texts, strict=True), start=1):
        said = {**foreign.in_languages(name, description, default), **_values(bit), "sort_order": row}
        found.add(row, bit.get("name"), said)
    return used


def _values(bit: _Block) -> dict[str, object]:
    display, progress = _block(bit.get("display")), _block(bit.get("progress"))
    target = foreign.number(progress.get("max_val"))
    return {
        "hidden": foreign.flag(display.get("hidden")),
        "type": UNSET if target is UNSET else "incremental",
        "target": target,
        "icon_url": foreign.icon(display.get("icon")),
        "icon_locked_url": foreign.icon(display.get("icon_gray")),
    }


def _bits(schema: _Block) -> Iterator[_Block]:
    for app in schema.values():
        for stat in _block(_block(app).get("stats")).values():
            for bit in _block(_block(stat).get("bits")).values():
                yield _block(bit)


def _texts(value: object, tokens: Tokens, used: set[str]) -> foreign.Texts:
    """Return a display text by language; what the localisation file says goes before what the schema says."""
    texts = dict(value) if isinstance(value, _Block) else {"english": value}
    token = texts.pop("token", None)
    if isinstance(token, str) and token in tokens:
        used.add(token)
        texts.update(tokens[token])
    return texts


def _read_localisation(tokens: Tokens, found: Collector) -> None:
    achievements: dict[str, dict[str, dict[str, object]]] = {}
    for token, texts in tokens.items():
        key, suffix = token[:-5], token[-5:]
        if suffix in _SUFFIXES and key:
            achievements.setdefault(key, {})[_SUFFIXES[suffix]] = texts
        else:
            found.error(0, f"The text {quoted(token)} names no achievement: end it in _NAME or _DESC.")
    default = foreign.default_language(tokens.values())
    for row, (key, of) in enumerate(achievements.items(), start=1):
        found.add(row, key, foreign.in_languages(of.get("name", {}), of.get("desc", {}), default))
