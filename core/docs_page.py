"""The API's description to browse. It lies below /api/, which the middleware of pages passes by, and is a page."""

from typing import Any, Final

from drf_spectacular.views import SpectacularSwaggerSplitView
from rest_framework.request import Request
from rest_framework.response import Response

from core.endpoint import check_query

_POLICY: Final = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self';"
    " frame-ancestors 'none'"
)


class DocsView(SpectacularSwaggerSplitView):
    """The page, and its script at `?script=`."""

    def initial(self, request: Request, *args: Any, **named: Any) -> None:
        """Refuse other parameters: the page would hand some of them on to the description, which takes none."""
        super().initial(request, *args, **named)
        check_query(request._request, frozenset({"script"}))

    def finalize_response(self, request: Request, response: Response, *args: Any, **named: Any) -> Response:
        """Let nobody show it in a frame, and nothing run that is not ours."""
        answer = super().finalize_response(request, response, *args, **named)
        answer["Content-Security-Policy"] = _POLICY
        answer["X-Frame-Options"] = "DENY"
        return answer
