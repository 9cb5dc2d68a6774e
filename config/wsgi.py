"""The `web` process: every HTTP page and API call, as WSGI (see docs/adr/0007-http-servers.md)."""

import os

# A web process waits for nobody: few pooled connections, short statements.
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ.setdefault("DATABASE_POOL_SIZE", "10")
os.environ.setdefault("DATABASE_STATEMENT_TIMEOUT_MS", "2000")
os.environ.setdefault("LAUREL_PROCESS", "laurel-web")

from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()
