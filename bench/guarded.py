"""`web` as it is, and without its door and its limits for a request that says so: what guarding costs, side by side.

`bench/measures/guards.py` serves this WSGI application instead of config/wsgi.py's; nobody else does.
"""

import threading
from typing import Any

from config.wsgi import application as _guarded  # sets Django up, which the others need

# isort: split
from django.core.wsgi import get_wsgi_application
from rest_framework.request import Request

from accounts.throttling import Throttle
from bench.world import UNGUARDED

_MARK = f"HTTP_{UNGUARDED.upper().replace('-', '_')}"
_unguarded = get_wsgi_application()
_state = threading.local()
_allow = Throttle.allow_request


def application(environ: dict[str, Any], start_response: Any) -> Any:
    """Answer with or without guards."""
    _state.is_unguarded = _MARK in environ
    return (_unguarded if _state.is_unguarded else _guarded)(environ, start_response)


def _allow_request(throttle: Throttle, request: Request, view: Any) -> bool:
    return _state.is_unguarded or _allow(throttle, request, view)


Throttle.allow_request = _allow_request  # type: ignore[method-assign,assignment]
