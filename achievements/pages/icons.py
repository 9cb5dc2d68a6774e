"""The pictures of achievements, as browsers and CDNs fetch them."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from achievements import icons
from core import media
from core.refusals import NotFound


@require_safe
def icon(request: HttpRequest, game: UUID, digest: str, side: str) -> HttpResponse:
    """Answer a picture that never changes: its name is its content.

    It is the same for everybody, and whatever it might be taken for, nothing in it runs.
    """
    tag = f'"{digest}-{side}"'
    if tag in request.headers.get("If-None-Match", ""):
        response = HttpResponse(status=304)
        del response["Content-Type"]
    else:
        body = media.get(icons.file(game, digest, int(side)))
        if body is None:
            raise NotFound("There is no such picture.")
        response = HttpResponse(body, content_type="image/webp")
    response["ETag"] = tag
    response["Cache-Control"] = "public, max-age=31536000, immutable"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cross-Origin-Resource-Policy"] = "cross-origin"  # games show them on their own pages
    response["X-Content-Type-Options"] = "nosniff"
    return response
