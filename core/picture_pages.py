"""Uploaded pictures, as browsers and CDNs fetch them."""

from django.http import HttpRequest, HttpResponse
from django.urls import register_converter

from core import media
from core.artwork import LARGE, SMALL
from core.refusals import NotFound


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

    regex = f"{LARGE}|{SMALL}"


register_converter(Digest, "digest")
register_converter(Side, "side")


def picture(request: HttpRequest, file: str, *, tag: str) -> HttpResponse:
    """Answer a picture that never changes: its name is its content.

    It is the same for everybody, and whatever it might be taken for, nothing in it runs. Raises NotFound.
    """
    if f'"{tag}"' in request.headers.get("If-None-Match", ""):
        response = HttpResponse(status=304)
        del response["Content-Type"]
    else:
        body = media.get(file)
        if body is None:
            raise NotFound("There is no such picture.")
        response = HttpResponse(body, content_type="image/webp")
    response["ETag"] = f'"{tag}"'
    response["Cache-Control"] = "public, max-age=31536000, immutable"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cross-Origin-Resource-Policy"] = "cross-origin"  # games show them on their own pages
    response["X-Content-Type-Options"] = "nosniff"
    return response
