"""Celery's broker, Valkey or RabbitMQ: hints and the ticks of Beat, none of which is the only copy of anything."""

from typing import Any

from config.settings.environment import env, valkey

__all__ = [
    "BROKER_IS_RABBITMQ",
    "BROKER_PATIENCE_S",
    "CELERY_ACCEPT_CONTENT",
    "CELERY_BROKER_CHANNEL_ERROR_RETRY",
    "CELERY_BROKER_CONNECTION_MAX_RETRIES",
    "CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP",
    "CELERY_BROKER_CONNECTION_TIMEOUT",
    "CELERY_BROKER_HEARTBEAT",
    "CELERY_BROKER_TRANSPORT_OPTIONS",
    "CELERY_BROKER_URL",
    "CELERY_DB_REUSE_MAX",
    "CELERY_TASK_ACKS_LATE",
    "CELERY_TASK_DEFAULT_QUEUE",
    "CELERY_TASK_IGNORE_RESULT",
    "CELERY_TASK_PUBLISH_RETRY",
    "CELERY_TASK_QUEUES",
    "CELERY_TASK_SERIALIZER",
    "CELERY_WORKER_CONSUMER",
    "CELERY_WORKER_HIJACK_ROOT_LOGGER",
    "CELERY_WORKER_PREFETCH_MULTIPLIER",
]

CELERY_BROKER_URL: str = env.str("CELERY_BROKER_URL", default=valkey(3))
BROKER_IS_RABBITMQ = CELERY_BROKER_URL.startswith(("amqp", "pyamqp"))
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_SERIALIZER = "json"
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_DEFAULT_QUEUE = "bulk"
CELERY_TASK_PUBLISH_RETRY = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # however long the broker is away
# RabbitMQ closes the channel of who takes too long (core/shifts.py); a worker that does not open another ends.
CELERY_BROKER_CHANNEL_ERROR_RETRY = True
CELERY_BROKER_CONNECTION_TIMEOUT = 2
# Celery closes the database connection after every task unless told otherwise (six times slower).
CELERY_DB_REUSE_MAX = 100_000
# A frozen broker must not hang whoever publishes a hint: without time-outs it does, for ever. RabbitMQ says of each
# message that it has it, for as long as this at most; it does not while it is out of memory or disk.
BROKER_PATIENCE_S = 3
# A worker that hears nothing from RabbitMQ for twice as long connects anew.
CELERY_BROKER_HEARTBEAT = 10 if BROKER_IS_RABBITMQ else 0
# RabbitMQ gives a killed worker's tasks to the next one at once; from Valkey they would come back after an hour, and by
# then they are hinted again.
CELERY_TASK_ACKS_LATE = BROKER_IS_RABBITMQ
_VALKEY = {"socket_timeout": 1, "socket_connect_timeout": 1, "max_retries": 1, "health_check_interval": 5}
_RABBITMQ = {
    "confirm_publish": True,
    "max_retries": 1,
    "interval_start": 0,
    "write_timeout": BROKER_PATIENCE_S,
}
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any] = _RABBITMQ if BROKER_IS_RABBITMQ else _VALKEY
CELERY_TASK_QUEUES: list[Any] | None = None
CELERY_WORKER_CONSUMER = "celery.worker.consumer:Consumer"
if BROKER_IS_RABBITMQ:
    from config import rabbitmq

    CELERY_TASK_QUEUES = rabbitmq.queues()
    CELERY_WORKER_CONSUMER = "config.rabbitmq_worker:Worker"
