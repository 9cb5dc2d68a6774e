"""Where webhooks may go."""

from config.settings.environment import env

__all__ = [
    "WEBHOOK_ALLOWED_NETWORKS",
    "WEBHOOK_CA_FILE",
    "WEBHOOK_NAME_SERVERS",
    "WEBHOOK_PLAIN_HTTP",
    "WEBHOOK_PORTS",
]

# Webhooks go to public addresses over https only (webhooks/rules/targets.py), unless the operator allows more: networks
# of his own (10.1.0.0/16), more ports, http. Name servers and a file of certificate authorities are the system's.
WEBHOOK_ALLOWED_NETWORKS = env.list("WEBHOOK_ALLOWED_NETWORKS", default=[])
WEBHOOK_PORTS = env.list("WEBHOOK_PORTS", cast=int, default=[])
WEBHOOK_PLAIN_HTTP = env.bool("WEBHOOK_PLAIN_HTTP", default=False)
WEBHOOK_NAME_SERVERS = env.list("WEBHOOK_NAME_SERVERS", default=[])
WEBHOOK_CA_FILE = env.str("WEBHOOK_CA_FILE", default="")
