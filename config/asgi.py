"""The `live` process: WebSockets and event streams only, as ASGI (see docs/adr/0006-http-servers.md).

Start it with `uvicorn config.asgi:application --ws websockets-sansio --ws-per-message-deflate false
--ws-max-size 4096 --ws-ping-interval 0 --timeout-graceful-shutdown 2`: no compression, no frame that is refused
anyway, no second kind of ping. One process is one event loop; more processes are more connections.
"""

import os

from config.answering import answers_soon

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ.update(answers_soon("live", connections=4))  # a few threads ask for all pages

import django

django.setup()

from core import dependencies, tracing  # noqa: E402
from core.metrics import serving  # noqa: E402
from core.starting import require_safe_postgresql  # noqa: E402
from social.live.process import LiveProcess  # noqa: E402

require_safe_postgresql()
dependencies.prepare()
serving.begin()
tracing.begin()

application = LiveProcess().application()
