"""The `web` process: every HTTP page and API call, as WSGI (see docs/adr/0007-http-servers.md)."""

import os

from config.answering import answers_soon

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ.update(answers_soon("web", connections=10))

from django.core.cache import close_caches
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, reset_queries

from core import dependencies, tracing
from core.collector import settle
from core.metrics import serving
from core.starting import require_safe_postgresql

_django = get_wsgi_application()

require_safe_postgresql()

import config.urls  # noqa: E402, F401 - or whoever came first would wait seconds for it
from accounts.calls import writing  # noqa: E402 - its models need the applications
from core import front_door  # noqa: E402 - its settings do

application = front_door.in_front_of(_django)
writing.start()
dependencies.prepare()
serving.begin(is_one_of_several=True)
tracing.begin()

# What a request need not do at its ends: with the pool its connection went back when the last one finished, the
# query log is kept in debugging only, and the cache's connections stay open.
request_started.disconnect(close_old_connections)
request_started.disconnect(reset_queries)
request_finished.disconnect(close_caches)

settle()
