"""A player's card: the picture that other sites show beside a link to his profile (Open Graph, 1200 × 630)."""

import io
import re
from functools import lru_cache
from math import cos, radians, sin
from pathlib import Path
from typing import Final

from django.conf import settings
from PIL import Image, ImageChops, ImageDraw

from core import artwork, lettering
from core.spoken import NAMELESS
from social.page_models import UnlockRow
from social.shared_models import Shared

WIDTH, HEIGHT = 1200, 630
VERSION: Final = 2  # of the drawing: a new one makes new cards
_FINE: Final = 2  # drawn larger and made smaller, so that edges are smooth
_INK, _LINE, _TEXT, _MUTED = "#080c0b", "#3a4740", "#e9f0ec", "#9cada4"
_ACCENT, _GOLD, _SILVER = "#4bd196", "#f3c04f", "#c3d0c9"
_TIERS: Final = {
    "common": "#a9b8b0",
    "uncommon": "#4bd196",
    "rare": "#6fb1ff",
    "epic": "#bd9bff",
    "legendary": "#f3c04f",
}
_TINTS: Final = {
    "ember": ("#ffb067", "#d9481c", "#5c1326"),
    "tide": ("#7fe3d4", "#16808a", "#0a3347"),
    "dusk": ("#e6b7ff", "#8a3fb0", "#33124e"),
    "night": ("#9fc2ff", "#3a55b8", "#131c4b"),
    "moss": ("#cfe98a", "#5d8a2a", "#1d3413"),
    "copper": ("#ffd79a", "#b0682a", "#40200f"),
}
Point = tuple[float, float]
# The leaf of the mark and the leaf of rarity, as cubic curves: each ends where the next one begins (look: 1).
_MARK_LEAF: Final = ((0, 0), (1.8, -2.7), (5.4, -2.8), (8.2, 0), (5.4, 2.5), (1.8, 2.4), (0, 0))
_TIER_LEAF: Final = ((0, 0), (1.2, -3), (4.6, -4), (8, -2.6), (6.4, 1), (3, 2), (0, 0))
_LEFT, _MIDDLE = 72, 930  # of the text, and of the wreath
_WIDEST = 620


def png(shared: Shared, *, host: str, picture: bytes | None = None) -> bytes:
    """Return a player's card as PNG; the same values make the same bytes. Its texts are drawn, never read again.

    `picture` is his own, as `core.pictures` drew it; without one his name's initial stands for him.
    """
    with lettering.lock:
        canvas = _ground(shared)
        draw = ImageDraw.Draw(canvas)
        _person(canvas, draw, shared, picture)
        _figures(draw, shared)
        if shared.rarest is not None:
            _rarest(draw, shared.rarest)
        _rank(draw, shared)
        _foot(draw, host)
        small = canvas.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    small.save(out, "PNG", compress_level=6)
    return out.getvalue()


def sentence(shared: Shared) -> str:
    """Return what the card shows, for whoever can't see it."""
    place = shared.place
    ranked = (
        f", {'tied at ' if place.tied else ''}rank {place.rank:,} of {place.total_count:,}" if place else ""
    )
    return f"{shared.name}: {shared.points:,} points, {shared.unlocked:,} achievements{ranked}."


def _ground(shared: Shared) -> Image.Image:
    """Draw the ground: the player's own colours on the right, under ink that leaves the text readable."""
    light, mid, deep = _TINTS[artwork.tint(str(shared.id))]
    size = (WIDTH // 4, HEIGHT // 4)  # nothing in it is sharp
    colours = _gradient((deep, mid, light), size)
    side = Image.linear_gradient("L").rotate(-90).resize(size)  # from 255 on the left to 0
    veil = side.point(lambda value: min(255, 138 + value * 117 // 150))
    ground = Image.composite(Image.new("RGB", size, _INK), colours, veil)
    return ground.resize((WIDTH * _FINE, HEIGHT * _FINE), Image.Resampling.BICUBIC)


def _gradient(colours: tuple[str, str, str], size: tuple[int, int]) -> Image.Image:
    """Return a picture that runs from the first colour at the lower left to the last at the upper right."""
    along = ImageChops.add(
        Image.linear_gradient("L").rotate(-90).resize(size),
        Image.linear_gradient("L").rotate(180).resize(size),
        scale=2,
    )
    first = Image.composite(
        Image.new("RGB", size, colours[1]),
        Image.new("RGB", size, colours[0]),
        along.point(lambda value: min(255, value * 2)),
    )
    rest = along.point(lambda value: max(0, value * 2 - 255))
    return Image.composite(Image.new("RGB", size, colours[2]), first, rest)


def _person(canvas: Image.Image, draw: ImageDraw.ImageDraw, shared: Shared, picture: bytes | None) -> None:
    name = lettering.drawable(shared.name)
    _face(canvas, shared, picture)
    if picture is None and name:
        _write(draw, (_LEFT + 52, 134), lettering.initial(name), 48, 650, "#ffffff", anchor="m")
    elif picture is None:
        _somebody(draw, (_LEFT + 52, 116))
    shown = name or NAMELESS
    size = next((size for size in (60, 52, 44) if _width(shown, size, 680) <= _WIDEST - 128), 38)
    top = 112 if shared.region else 134
    _write(draw, (_LEFT + 128, top + size / 5), shown, size, 680, _TEXT, most=_WIDEST - 128)
    if shared.region:
        _write(draw, (_LEFT + 128, 162), shared.region, 26, 500, _MUTED, most=_WIDEST - 128)


def _face(canvas: Image.Image, shared: Shared, picture: bytes | None) -> None:
    """Draw the disc of the player's colours, and his picture on it."""
    light, mid, deep = _TINTS[artwork.tint(str(shared.id))]
    side = 104 * _FINE
    disc = Image.new("L", (side, side), 0)
    ImageDraw.Draw(disc).ellipse((0, 0, side - 1, side - 1), fill=255)
    face = _gradient((deep, mid, light), (side, side)).transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    if picture is not None:
        with Image.open(io.BytesIO(picture), formats=["WEBP"]) as opened:
            own = opened.convert("RGBA").resize((side, side), Image.Resampling.LANCZOS)
        face.paste(own, mask=own)
    canvas.paste(face, (_LEFT * _FINE, 64 * _FINE), disc)


def _somebody(draw: ImageDraw.ImageDraw, middle: Point) -> None:
    """Draw head and shoulders, as pages do where there is neither a picture nor a name."""
    x, y = middle
    for box, first, last in (
        ((x - 11, y - 27, x + 11, y - 5), 0, 360),
        ((x - 22, y + 2, x + 22, y + 46), 180, 360),
    ):
        draw.chord([side * _FINE for side in box], first, last, fill="#ffffff")


def _figures(draw: ImageDraw.ImageDraw, shared: Shared) -> None:
    points = f"{shared.points:,}"
    wide = _write(draw, (_LEFT - 3, 312), points, 104, 690, _GOLD)
    _write(draw, (_LEFT + wide + 16, 312), "point" if shared.points == 1 else "points", 34, 560, _MUTED)
    parts = [
        f"{shared.unlocked:,} achievement{'' if shared.unlocked == 1 else 's'}",
        f"{shared.games:,} game{'' if shared.games == 1 else 's'}",
        f"{int(shared.completion_percent)}% complete",
    ]
    _write(draw, (_LEFT, 366), "  ·  ".join(parts), 26, 520, _TEXT, most=_WIDEST)


def _rarest(draw: ImageDraw.ImageDraw, row: UnlockRow) -> None:
    tier = row.rarity.tier or "common"
    colour = _TIERS[tier]
    _leaves(draw, (_LEFT, 442), tier)
    _write(draw, (_LEFT + 132, 441), tier.capitalize(), 24, 620, colour)
    name = lettering.drawable(row.name) or "Rarest achievement"
    _write(draw, (_LEFT, 484), name, 32, 620, _TEXT, most=_WIDEST)
    share = f"{row.rarity.unlocked_percent or 0:.1f}".removesuffix(".0")
    game = lettering.drawable(row.game_title)
    text = f"{share}% of {row.rarity.players:,} players" + (f"  ·  {game}" if game else "")
    _write(draw, (_LEFT, 520), text, 22, 480, _MUTED, most=_WIDEST)


def _rank(draw: ImageDraw.ImageDraw, shared: Shared) -> None:
    """Draw the wreath, which means rank: gold for the first, silver for the second and third."""
    place = shared.place
    colour = _ACCENT if place is None else {1: _GOLD, 2: _SILVER, 3: _SILVER}.get(place.rank, _ACCENT)
    _wreath(draw, (_MIDDLE, 300), 13.2, colour)
    if place is None:
        _write(draw, (_MIDDLE, 300), "No rank", 44, 660, _TEXT, anchor="m")
        _write(draw, (_MIDDLE, 340), "yet", 28, 520, _MUTED, anchor="m")
        return
    rank = f"{'=' if place.tied else '#'}{place.rank:,}"
    size = next((size for size in (92, 76, 62, 50) if _width(rank, size, 690) <= 210), 40)
    _write(draw, (_MIDDLE, 316), rank, size, 690, _TEXT, anchor="m")
    _write(draw, (_MIDDLE, 360), f"of {place.total_count:,}", 26, 520, _SILVER, anchor="m")


def _foot(draw: ImageDraw.ImageDraw, host: str) -> None:
    _wreath(draw, (_LEFT + 14, 584), 1.15, _ACCENT)
    _write(draw, (_LEFT + 40, 592), "Laurel", 26, 680, _TEXT)
    _write(draw, (WIDTH - _LEFT, 592), lettering.clean(host), 22, 480, _SILVER, anchor="r", most=400)


def _write(
    draw: ImageDraw.ImageDraw,
    at: Point,
    text: str,
    size: int,
    weight: int,
    colour: str,
    *,
    anchor: str = "l",
    most: float = WIDTH,
) -> float:
    """Write in the card's own pixels; return the width."""
    fine = size * _FINE
    shown = lettering.cut(text, size=fine, weight=weight, most=most * _FINE)
    place = (at[0] * _FINE, at[1] * _FINE)
    return lettering.write(draw, place, shown, size=fine, weight=weight, colour=colour, anchor=anchor) / _FINE


def _width(text: str, size: int, weight: int) -> float:
    return lettering.width(text, size=size, weight=weight)


def _leaves(draw: ImageDraw.ImageDraw, at: Point, tier: str) -> None:
    """Draw five leaves from a point of their baseline, as many of them filled as the tier has."""
    filled = list(_TIERS).index(tier) + 1
    for n in range(5):
        outline = _outline(_TIER_LEAF, turned=-38, scale=2.7, at=(at[0] + 3 + n * 24, at[1]))
        if n < filled:
            draw.polygon(outline, fill=_TIERS[tier])
        else:
            draw.line([*outline, outline[0]], fill=_LINE, width=2 * _FINE, joint="curve")


def _wreath(draw: ImageDraw.ImageDraw, middle: Point, scale: float, colour: str) -> None:
    """Draw the mark around a point."""
    left, top = middle[0] - 16 * scale, middle[1] - 16 * scale
    for x, y, is_mirrored, turned, size in _mark():
        points = _outline(_MARK_LEAF, turned=turned, scale=size * scale, at=(0, 0))
        sign = -1 if is_mirrored else 1
        where = ((left + x * scale) * _FINE, (top + y * scale) * _FINE)
        draw.polygon([(where[0] + sign * px, where[1] + py) for px, py in points], fill=colour)
    radius = 10.2 * scale
    box = tuple(
        value * _FINE
        for value in (middle[0] - radius, middle[1] - radius, middle[0] + radius, middle[1] + radius)
    )
    for first, last in ((94, 232), (-52, 86)):  # Pillow counts from three o'clock, clockwise
        draw.arc(box, first, last, fill=colour, width=max(1, round(scale * _FINE)))


@lru_cache(maxsize=1)
def _mark() -> tuple[tuple[float, float, bool, float, float], ...]:
    """Return where the mark's leaves stand, as `static/icons.svg` says: x, y, mirrored, turned by, size."""
    text = (Path(settings.BASE_DIR) / "static" / "icons.svg").read_text()
    symbol = re.search(r'<symbol id="wreath" .*?</symbol>', text, re.DOTALL)
    assert symbol is not None  # else the pages have no mark either
    leaf = r"translate\(([\d.]+) ([\d.]+)\) (scale\(-1 1\) )?rotate\(([-\d.]+)\) scale\(([\d.]+)\)"
    return tuple(
        (float(x), float(y), bool(mirrored), float(turned), float(size))
        for x, y, mirrored, turned, size in re.findall(leaf, symbol[0])
    )


def _outline(curves: tuple[Point, ...], *, turned: float, scale: float, at: Point) -> list[Point]:
    """Return a leaf's outline: turned by degrees, scaled, moved, in fine pixels."""
    angle, steps = radians(turned), 12
    points = []
    for start in range(0, len(curves) - 1, 3):
        a, b, c, d = curves[start : start + 4]
        for n in range(steps):
            t = n / steps
            x, y = (
                (1 - t) ** 3 * a[i] + 3 * (1 - t) ** 2 * t * b[i] + 3 * (1 - t) * t * t * c[i] + t**3 * d[i]
                for i in (0, 1)
            )
            moved = (x * cos(angle) - y * sin(angle), x * sin(angle) + y * cos(angle))
            points.append(((at[0] + moved[0] * scale) * _FINE, (at[1] + moved[1] * scale) * _FINE))
    return points
