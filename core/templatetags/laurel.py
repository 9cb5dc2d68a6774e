"""How pages write numbers, times, ranks and rarity, and draw bars, tiles and covers.

Everything is an SVG attribute or a class: no `style`, so that the content policy can stay strict.
"""

import re
from datetime import UTC, date, datetime
from math import tau
from typing import Protocol
from uuid import UUID

from django import template
from django.conf import settings
from django.template import Context
from django.templatetags.static import static
from django.utils.html import escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext

from core import artwork, spoken
from core.clock import now as right_now

register = template.Library()


class Person(Protocol):
    """Whoever has a portrait."""

    id: UUID
    display_name: str
    avatar_url: str


LEAVES = {"common": 1, "uncommon": 2, "rare": 3, "epic": 4, "legendary": 5}
_LEAF = "M0 0C1.2-3 4.6-4 8-2.6 6.4 1 3 2 0 0Z"
_LEAF_STEP = 8.8
# A bar shorter than this can't be seen.
_LEAST_BAR_PERCENT = 0.8
_RING_RADIUS = 34
# What of the 1400 x 420 scene is shown: all of it as a hero, its lit middle as a cover or a thumbnail.
_SCENE_CROPS = {"hero": "0 0 1400 420", "cover": "780 40 500 330", "thumb": "850 60 320 320"}


@register.filter
def number(value: float | None) -> str:
    """Write a number with thousands separated; a whole one without decimals; nothing as an en dash.

    Others have two decimals, or as many as show that it is not nothing.
    """
    if value is None:
        return "–"
    if value == int(value):
        return spoken.whole(int(value))
    return spoken.spelled(f"{value:.1g}" if abs(value) < 0.01 else f"{value:,.2f}".rstrip("0").rstrip("."))


@register.filter
def breakable(number: str) -> str:
    """Let a written number go on in another line behind a separator, where it has no room."""
    return format_html_join(mark_safe(",<wbr>"), "{}", ((part,) for part in number.split(",")))


@register.filter
def average(value: float) -> str:
    """Write an average: a small one with as many decimals as tell something."""
    return spoken.average(value)


@register.filter
def absolute(value: int) -> int:
    """Return a number without its sign."""
    return abs(value)


@register.filter
def percent(value: float | None) -> str:
    """Write a percentage with one decimal; more than nothing never reads as 0%."""
    if value is None:
        return "–"
    if 0 < value < 0.1:
        return f"<{spoken.percentage('0.1')}"
    return spoken.percentage(f"{value:.1f}".removesuffix(".0"))


@register.filter
def per_mille(value: int) -> str:
    """Write a share that is given in per mille as a percentage."""
    return percent(value / 10)


@register.filter
def ordinal(value: int) -> str:
    """Write a place, `1st`, `22nd`; on pages that speak English only."""
    is_teen = value % 100 in (11, 12, 13)
    return f"{spoken.whole(value)}{'th' if is_teen else {1: 'st', 2: 'nd', 3: 'rd'}.get(value % 10, 'th')}"


@register.filter
def floor_percent(value: float) -> str:
    """Write a share that is done as a whole percentage; 100% only when nothing is left."""
    return spoken.percentage(str(int(value)))


@register.simple_tag
def rank(value: int, tied: bool) -> str:
    """Write a rank; a shared one as `=9`."""
    return f"={spoken.whole(value)}" if tied else spoken.whole(value)


@register.simple_tag(takes_context=True)
def when(context: Context, at: datetime | None) -> str:
    """Write a time in a `<time>`: in the request's `zone` or UTC, made local by `page.js`, exact in the title."""
    if at is None:
        return ""
    utc = at.astimezone(UTC)
    return format_html(
        '<time datetime="{}" title="{} UTC">{}</time>',
        utc.isoformat(timespec="seconds").replace("+00:00", "Z"),
        utc.strftime("%Y-%m-%d %H:%M:%S"),
        _spoken(_shown(at, context), _shown(right_now(), context)),
    )


@register.simple_tag(takes_context=True)
def moment(context: Context, at: datetime) -> str:
    """Write a time to the minute, however long ago, as `when` does."""
    utc = at.astimezone(UTC)
    return format_html(
        '<time datetime="{}" title="{} UTC" data-moment>{}</time>',
        utc.isoformat(timespec="seconds").replace("+00:00", "Z"),
        utc.strftime("%Y-%m-%d %H:%M:%S"),
        spoken.moment(_shown(at, context)),
    )


@register.simple_tag(takes_context=True)
def clock(context: Context, at: datetime) -> str:
    """Write a time of today as that alone, an earlier one as `when` does."""
    utc, shown, now = at.astimezone(UTC), _shown(at, context), _shown(right_now(), context)
    return format_html(
        '<time datetime="{}" title="{} UTC" data-clock>{}</time>',
        utc.isoformat(timespec="seconds").replace("+00:00", "Z"),
        utc.strftime("%Y-%m-%d %H:%M:%S"),
        f"{shown:%H:%M}" if shown.date() == now.date() else _spoken(shown, now),
    )


@register.simple_tag
def exact(at: datetime) -> str:
    """Write a time to the second in UTC, which no script makes local: for what happened within a minute."""
    return spoken.second(at)


def _shown(at: datetime, context: Context) -> datetime:
    """Return what the reader's clock shows at a time, as if it were UTC: so it is written."""
    zone = getattr(getattr(context, "request", None), "zone", None)
    return at.astimezone(zone or UTC).replace(tzinfo=UTC)


def _spoken(at: datetime, now: datetime) -> str:
    days = (now.date() - at.date()).days
    if days == 0:
        return gettext("today, %(time)s") % {"time": f"{at:%H:%M}"}
    if days == 1:
        return gettext("yesterday, %(time)s") % {"time": f"{at:%H:%M}"}
    return spoken.day(at)


@register.filter
def day(at: date | None, style: str = "j M Y") -> str:
    """Write a day, or a moment in UTC, in the language's way; the styles are those of `core.spoken`."""
    return spoken.day(at, style) if at else ""


@register.filter
def initial(name: str) -> str:
    """Return what stands in a portrait without a picture: the name's first letter or sign."""
    return next((sign.upper() for sign in name if sign.isalnum()), name[:1])


@register.filter
def called(name: str) -> str:
    """Return a player's name, or what somebody without one is called."""
    return name or spoken.NAMELESS


@register.simple_tag
def portrait(person: Person, kind: str = "") -> str:
    """Show a player's picture, or the name's initial, or that there is neither; `kind`: large."""
    classes = f"portrait portrait-{kind}" if kind else "portrait"
    url = shown_picture(person.avatar_url)
    if url:
        return format_html(
            '<img class="{}" src="{}" width="64" height="64" alt="" referrerpolicy="no-referrer">',
            classes,
            url,
        )
    return format_html(
        '<span class="{} {}" aria-hidden="true">{}</span>',
        classes,
        tint(person.id),
        icon("user") if person.display_name in ("", spoken.NAMELESS) else initial(person.display_name),
    )


@register.filter
def tint(text: object) -> str:
    """Return the class of the text's colours."""
    return f"tint-{artwork.tint(str(text))}"


@register.filter
def shown_picture(url: str | None) -> str:
    """Return the address if the content policy lets a browser load it, else nothing; our own without the host."""
    own = artwork.own_picture(url or "", settings.PUBLIC_URL)
    return own or (url if url and url.startswith("https://") else "")


@register.filter
def pressed(value: str, own: str) -> str:
    """Say for `aria-pressed` whether a switch's button is the one that is on."""
    return "true" if value == own else "false"


@register.filter
def code_spans(text: str) -> SafeString:
    """Escape the text and set what stands in backticks as code."""
    return mark_safe(re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text)))  # noqa: S308 - escaped just before


@register.simple_tag
def icon(name: str, kind: str = "") -> str:
    """Draw a symbol of `static/icons.svg`."""
    return format_html(
        '<svg class="glyph{}" viewBox="0 0 24 24" aria-hidden="true"><use href="{}#{}"/></svg>',
        f" glyph-{kind}" if kind else "",
        static("icons.svg"),
        name,
    )


@register.simple_tag
def symbol(name: str) -> str:
    """Refer to a symbol of `static/icons.svg` inside a larger drawing."""
    return format_html('<use href="{}#{}"/>', static("icons.svg"), name)


@register.simple_tag
def wreath(size: int) -> str:
    """Draw the mark; small ones have fewer leaves."""
    return format_html(
        '<svg class="wreath" width="{0}" height="{0}" viewBox="0 0 32 32" aria-hidden="true">'
        '<use href="{1}#{2}"/></svg>',
        size,
        static("icons.svg"),
        "wreath-small" if size <= 20 else "wreath",
    )


@register.simple_tag
def leaves(tier: str | None) -> str:
    """Draw the leaves of a tier, filled ones of five; none for a rarity that can't be told yet."""
    filled = LEAVES.get(tier or "", 0)
    if not filled:
        return ""
    drawn = format_html_join(
        "",
        '<path{} transform="translate({} 9.6) rotate(-38)" d="' + _LEAF + '"/>',
        ((mark_safe(' class="on"') if n < filled else "", f"{1 + n * _LEAF_STEP:.1f}") for n in range(5)),
    )
    return format_html('<svg class="leaves" viewBox="0 0 44 12" aria-hidden="true">{}</svg>', drawn)


@register.simple_tag
def tier_names() -> tuple[str, ...]:
    """Return the tiers, most common first."""
    return tuple(LEAVES)


@register.simple_tag
def toast_pictures() -> SafeString:
    """Tell `live.js` what the built-in tiles are chosen from, as attributes."""
    return format_html(
        'data-art="{}" data-glyphs="{}" data-tints="{}" data-tiers="{}"',
        static("art.svg"),
        " ".join(artwork.GLYPHS),
        " ".join(artwork.TINTS),
        " ".join(LEAVES),
    )


@register.simple_tag
def bar(share: float | None, kinds: str = "") -> str:
    """Draw a bar `share` percent long; `kinds`: thin, tier, full. The figure stands beside it as text."""
    length = 0.0 if not share else min(100.0, max(share, _LEAST_BAR_PERCENT))
    return format_html(
        '<svg class="bar{}" aria-hidden="true"><rect width="100%" height="100%"/>'
        '<rect class="fill" width="{}%" height="100%" rx="3"/></svg>',
        "".join(f" bar-{kind}" for kind in kinds.split()),
        f"{length:.1f}",
    )


@register.simple_tag
def ring(share: float) -> str:
    """Draw a ring `share` percent round, with the figure in it."""
    whole = tau * _RING_RADIUS
    return format_html(
        '<svg class="ring" width="76" height="76" viewBox="0 0 76 76" role="img" aria-label="{4}">'
        '<circle cx="38" cy="38" r="{1}" stroke-width="8"/>'
        '<circle class="fill" cx="38" cy="38" r="{1}" stroke-width="8" stroke-dasharray="{2} {3}"'
        ' transform="rotate(-90 38 38)"/>'
        '<text x="50%" y="50%" dy=".36em" text-anchor="middle">{0}</text></svg>',
        floor_percent(share),
        _RING_RADIUS,
        f"{whole * min(share, 100) / 100:.1f}",
        f"{whole:.1f}",
        gettext("%(share)s complete") % {"share": floor_percent(share)},
    )


@register.simple_tag
def tile(key: str, icon_url: str | None = "", kind: str = "") -> str:
    """Show an achievement's icon, or the built-in tile of its key; `kind`: small, locked."""
    classes = "tile" + "".join(f" tile-{one}" for one in kind.split())
    url = artwork.small(shown_picture(icon_url))
    if url:
        return format_html(
            '<img class="{}" src="{}" width="56" height="56" alt="" loading="lazy" referrerpolicy="no-referrer">',
            classes,
            url,
        )
    art = static("art.svg")
    return format_html(
        '<svg class="{0} {1}" viewBox="0 0 64 64" aria-hidden="true"><use href="{2}#ground"/>'
        '<use href="{2}#{3}" x="14" y="14" width="36" height="36"/></svg>',
        classes,
        tint(key),
        art,
        artwork.glyph(key),
    )


@register.simple_tag
def scene(seed: object, crop: str, kind: str = "") -> str:
    """Draw the cover of a game that has no art of its own; `crop`: hero, cover, thumb."""
    text = str(seed)
    return format_html(
        '<svg class="scene scene-{0} {1}" viewBox="{2}" preserveAspectRatio="{3}" aria-hidden="true">'
        '<use href="{4}#scene-{5}" width="1400" height="420"/></svg>',
        crop,
        tint(text),
        _SCENE_CROPS[crop],
        "xMaxYMid slice" if crop == "hero" else "xMidYMid slice",
        static("art.svg"),
        artwork.scene(text),
    )
