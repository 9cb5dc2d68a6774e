"""The `web` process: every HTTP page and API call, as WSGI (see docs/adr/0007-http-servers.md)."""

import gc
import os
import sys

# A web process waits for nobody: few pooled connections, short statements.
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ.setdefault("DATABASE_POOL_SIZE", "10")
os.environ.setdefault("DATABASE_STATEMENT_TIMEOUT_MS", "2000")
os.environ.setdefault("LAUREL_PROCESS", "laurel-web")

from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()

# What is loaded by now stays: the collector need not look at it again, nor so often (10 % of a request's time).
gc.collect()
gc.freeze()
gc.set_threshold(50_000, 20, 50)
# A request computes for less than that: taking turns within one costs two switches and helps nobody.
sys.setswitchinterval(0.02)
