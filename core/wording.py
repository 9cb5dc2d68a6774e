"""What changed between two texts, in words: pure."""

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

# Comparing takes the product of both lengths; what is longer was written anew for whoever reads it.
MOST_WORDS = 400
Kind = Literal["same", "old", "new"]


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of words that stayed, went or came."""

    kind: Kind
    text: str


def compare(old: str, new: str) -> tuple[Piece, ...]:
    """Return what stayed, went and came, in order; the white space between words counts as one space."""
    before, after = re.findall(r"\S+", old), re.findall(r"\S+", new)
    if max(len(before), len(after)) > MOST_WORDS:
        return replaced(old, new)
    pieces: list[Piece] = []
    for kind, a, b, c, d in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if kind == "equal":
            pieces.append(Piece("same", " ".join(before[a:b])))
            continue
        pieces += replaced(" ".join(before[a:b]), " ".join(after[c:d]))
    return tuple(pieces)


def replaced(old: str, new: str) -> tuple[Piece, ...]:
    """Return one text as gone and the other as come; an empty one is neither."""
    return tuple(Piece(kind, text) for kind, text in (("old", old), ("new", new)) if text)  # type: ignore[arg-type]
