"""A picture drawn anew: square, in the sizes that pages show, without anything that its file told besides.

What goes in is a file; what comes out was painted by ourselves, pixel by pixel, and encoded once more.
"""

import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from PIL import Image, ImageOps, ImageStat

from core.artwork import LARGE, SMALL
from core.pictures import containers
from core.pictures.containers import BROKEN, Unusable

# What a page of fifty of them may cost; where a picture takes more at the last quality, it does.
_BUDGET: Final = {SMALL: 6 * 1024, LARGE: 24 * 1024}
_QUALITIES: Final = (88, 78, 66, 52, 38, 24)
_ORIENTATION: Final = 0x0112
_KEPT_FOR_GREY: Final = 0.5
_TRANSPARENT = (0, 0, 0, 0)
# The surfaces that icons stand on, by theme: `--lr-surface` of static/laurel.css, as relative luminance.
SURFACES: Final = {"light": 1.0, "dark": 0.0083}


@dataclass(frozen=True, slots=True)
class Drawn:
    """A picture as it is kept.

    Attributes:
        files: WebP by its side in pixels.
        contrast: with the surface of each theme, 1 to 21 (WCAG 2.2).

    """

    files: Mapping[int, bytes]
    contrast: Mapping[str, float]

    @property
    def digest(self) -> str:
        """What it is called by: the same bytes have the same name, and others another."""
        told = hashlib.sha256()
        for side in sorted(self.files):
            told.update(self.files[side])
        return told.hexdigest()[:32]


def draw(body: bytes) -> Drawn:
    """Return a file's picture, drawn anew. Raises Unusable."""
    return _drawn(_square(_decoded(body)))


def draw_filling(body: bytes) -> Drawn:
    """Return the middle of a file's picture, drawn anew and filling the square. Raises Unusable."""
    return _drawn(ImageOps.fit(_decoded(body), (LARGE, LARGE), Image.Resampling.LANCZOS))


def draw_grey(body: bytes) -> Drawn:
    """Return a file's picture without its colours, as what is locked is shown. Raises Unusable."""
    return _drawn(_grey(_square(_decoded(body))))


def _decoded(body: bytes) -> Image.Image:
    """Return the picture upright, in RGBA; only the decoder of its own kind sees it, and no profile is applied."""
    held = containers.read(body)
    try:
        with Image.open(io.BytesIO(held.body), formats=[held.kind]) as image:
            if image.size != (held.width, held.height) or getattr(image, "is_animated", False):
                raise Unusable(BROKEN)
            image.load()
            upright = ImageOps.exif_transpose(image) if _is_turned(image) else image
            return _rgba(upright)
    except Unusable:
        raise
    except Exception as error:  # decoders raise whatever they stumble over, and all of it means the same
        raise Unusable(BROKEN) from error


def _is_turned(image: Image.Image) -> bool:
    try:
        return image.getexif().get(_ORIENTATION, 1) in range(2, 9)
    except Exception:  # noqa: BLE001 - what it can't say does not spoil the picture
        return False


def _rgba(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):  # sixteen bits of grey, which would be cut off at 255
        image = image.convert("I").point(lambda value: value * (1 / 257)).convert("L")
    return image.convert("RGBA")


def _square(image: Image.Image) -> Image.Image:
    """Return it on a square of LARGE, whole, with nothing beside it where it is longer than wide."""
    image = ImageOps.contain(image, (LARGE, LARGE), Image.Resampling.LANCZOS)
    square = Image.new("RGBA", (LARGE, LARGE), _TRANSPARENT)
    square.paste(image, ((LARGE - image.width) // 2, (LARGE - image.height) // 2))
    return square


def _grey(image: Image.Image) -> Image.Image:
    """Return it in greys that tell apart what its colours did, from nearly black to nearly white."""
    alpha = image.getchannel("A")
    light, shown = image.convert("RGB").convert("L"), alpha.point(lambda value: 255 * (value > 16))
    spread = _spread(light, shown)
    loudest = max((image.getchannel(name) for name in "RGB"), key=lambda one: _spread(one, shown))
    if spread < _KEPT_FOR_GREY * _spread(loudest, shown):
        light = loudest  # red on green of one brightness: only a channel of them knows the difference
    if shown.getbbox() is not None:
        light = ImageOps.autocontrast(light, cutoff=1, mask=shown)
    return Image.merge("RGBA", (light, light, light, alpha))


def _spread(channel: Image.Image, shown: Image.Image) -> float:
    return ImageStat.Stat(channel, shown).stddev[0] if shown.getbbox() else 0.0


def _drawn(square: Image.Image) -> Drawn:
    sizes = {LARGE: square, SMALL: square.resize((SMALL, SMALL), Image.Resampling.LANCZOS)}
    files = {side: _encoded(image, _BUDGET[side]) for side, image in sizes.items()}
    return Drawn(files, _contrast(sizes[SMALL]))


def _encoded(image: Image.Image, budget: int) -> bytes:
    """Return it as WebP: without loss where that is small enough, else as good as the budget lets it be."""
    body = _webp(image, lossless=True)
    for quality in _QUALITIES:
        if len(body) <= budget:
            break
        body = _webp(image, quality=quality)
    return body


def _webp(image: Image.Image, *, lossless: bool = False, quality: int = 80) -> bytes:
    opened = io.BytesIO()
    plain = Image.new("RGBA", image.size, _TRANSPARENT)  # has no metadata that could be written
    plain.paste(image)
    plain.save(opened, "WEBP", lossless=lossless, quality=quality, alpha_quality=90, method=4)
    return opened.getvalue()


def _contrast(image: Image.Image) -> dict[str, float]:
    """Return how much the picture stands out, by the mean luminance of what can be seen of it.

    A picture that is all transparent stands out of nothing. Source: WCAG 2.2, relative luminance and contrast ratio.
    """
    alpha = image.getchannel("A")
    if alpha.getbbox() is None:
        return dict.fromkeys(SURFACES, 1.0)
    mean = 0.0
    for name, weight in (("R", 0.2126), ("G", 0.7152), ("B", 0.0722)):
        linear = image.getchannel(name).point([round(255 * _linear(value / 255)) for value in range(256)])
        mean += weight * ImageStat.Stat(linear, alpha).mean[0] / 255
    return {theme: round(_ratio(mean, surface), 2) for theme, surface in SURFACES.items()}


def _linear(value: float) -> float:
    return float(value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4)


def _ratio(one: float, other: float) -> float:
    brighter, darker = max(one, other), min(one, other)
    return (brighter + 0.05) / (darker + 0.05)
