"""A player's badge: a small SVG to embed on other sites. It runs nothing and loads nothing."""

from typing import Final

from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from core import lettering
from core.spoken import NAMELESS
from social.shared_models import Shared

HEIGHT: Final = 28
THEMES: Final = {
    "dark": ("#111715", "#2c3932", "#e9f0ec", "#9cada4", "#4bd196", "#f3c04f"),
    "light": ("#ffffff", "#c6cec6", "#17211c", "#56635b", "#0d7650", "#865800"),
}
VERSION: Final = 1
_SIZE, _PAD, _GAP, _WREATH = 13, 9, 10, 18
_LONGEST_NAME = 160.0  # pixels
_EM: Final = 1.0  # what a sign takes that only the reader's fonts may have, such as a Chinese one
_FONT: Final = "Inter, system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif"
# The mark for small sizes, as static/icons.svg has it (look: 1): an outer leaf at each of four nodes a side.
_LEAF: Final = "M0 0C1.8-2.7 5.4-2.8 8.2 0 5.4 2.5 1.8 2.4 0 0Z"
_NODES: Final = (
    (13.19, 25.80, 18.81, -194, 1.10),
    (7.35, 21.41, 24.65, -152, 1.01),
    (5.95, 14.23, 26.05, -110, 0.92),
    (9.72, 7.96, 22.28, -68, 0.83),
)
_STEMS: Final = "M15.29 26.18A10.2 10.2 0 0 1 9.72 7.96M16.71 26.18A10.2 10.2 0 0 0 22.28 7.96"


def svg(shared: Shared, *, theme: str) -> bytes:
    """Return the badge as SVG 1.1 in a theme of THEMES; every text is escaped and of the width that is drawn for it.

    Fonts differ from machine to machine: `textLength` lets a text keep the room that was measured in Inter.
    """
    ground, line, ink, muted, accent, gold = THEMES[theme]
    name = lettering.cut(
        lettering.clean(shared.name) or NAMELESS, size=_SIZE, weight=620, most=_LONGEST_NAME, unknown=_EM
    )
    points = f"{shared.points:,} point{'' if shared.points == 1 else 's'}"
    place = shared.place
    rank = f"{'=' if place.tied else '#'}{place.rank:,}" if place else ""
    parts = [(name, ink, 620), (points, gold, 620), *([(rank, muted, 560)] if rank else [])]
    x, drawn = float(_PAD + _WREATH + 7), []
    for text, colour, weight in parts:
        wide = max(1.0, lettering.width(text, size=_SIZE, weight=weight, unknown=_EM))
        drawn.append(_text(text, x=x, wide=wide, colour=colour, weight=weight))
        x += wide + _GAP
    whole = round(x - _GAP + _PAD + 2)
    said = ", ".join(text for text, *_ in parts)
    return format_html(
        '<svg xmlns="http://www.w3.org/2000/svg" width="{0}" height="{1}" viewBox="0 0 {0} {1}" role="img"'
        ' aria-label="Laurel: {2}"><title>Laurel: {2}</title>'
        '<rect x=".5" y=".5" width="{3}" height="{4}" rx="8" fill="{5}" stroke="{6}"/>{7}{8}</svg>\n',
        whole,
        HEIGHT,
        said,
        whole - 1,
        HEIGHT - 1,
        ground,
        line,
        _wreath(accent),
        mark_safe("".join(drawn)),  # noqa: S308 - each made by format_html
    ).encode()


def _text(text: str, *, x: float, wide: float, colour: str, weight: int) -> SafeString:
    return format_html(
        '<text x="{}" y="18.5" fill="{}" font-family="{}" font-size="{}" font-weight="{}" textLength="{}"'
        ' lengthAdjust="spacingAndGlyphs">{}</text>',
        f"{x:.1f}",
        colour,
        _FONT,
        _SIZE,
        weight,
        f"{wide:.1f}",
        text,
    )


def _wreath(colour: str) -> SafeString:
    leaves = []
    for x, y, mirrored_x, turned, scale in _NODES:
        for where, mirror in ((x, ""), (mirrored_x, " scale(-1 1)")):
            leaves.append(
                f'<path d="{_LEAF}" transform="translate({where} {y}){mirror} rotate({turned}) scale({scale})"/>'
            )
    return format_html(
        '<g transform="translate({} {}) scale({})" fill="{}">{}<path d="{}" fill="none" stroke="{}"'
        ' stroke-linecap="round"/></g>',
        _PAD - 1,
        (HEIGHT - _WREATH) / 2,
        _WREATH / 32,
        colour,
        mark_safe("".join(leaves)),  # noqa: S308 - made of numbers above
        _STEMS,
        colour,
    )
