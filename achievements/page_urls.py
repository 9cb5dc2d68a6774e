"""Addresses of achievements outside the API and the portal."""

from django.urls import path, register_converter

from achievements import icons, pages, report_pages


class Digest:
    """A picture's name."""

    regex = "[0-9a-f]{32}"

    def to_python(self, value: str) -> str:
        """Return it."""
        return value

    def to_url(self, value: str) -> str:
        """Return it."""
        return value


class Side(Digest):
    """A picture's side in pixels."""

    regex = "|".join(str(side) for side in icons.SIDES)


register_converter(Digest, "digest")
register_converter(Side, "side")

urlpatterns = [
    path("media/icons/<uuid:game>/<digest:digest>-<side:side>.webp", pages.icon, name="icon"),
    path("games/<uuid:game_id>/report", report_pages.report, name="report-achievement"),
]
