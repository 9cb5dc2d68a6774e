"""The pictures of achievements, as browsers and CDNs fetch them."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from achievements import icons
from core.picture_pages import picture


@require_safe
def icon(request: HttpRequest, game: UUID, digest: str, side: str) -> HttpResponse:
    """Answer an achievement's picture."""
    return picture(request, icons.file(game, digest, int(side)), tag=f"{digest}-{side}")
