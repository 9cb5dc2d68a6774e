"""What a process is called in PostgreSQL's list of sessions, in metrics and in the log (LAUREL_PROCESS)."""

from collections.abc import Sequence
from itertools import pairwise


def of_celery(arguments: Sequence[str]) -> str:
    """Return what Celery's command line makes: beat, or a worker, named after its queue if it has only one.

    Of another program's, which only sends tasks, it is empty.
    """
    if "celery" not in arguments[0] or not {"beat", "worker"} & set(arguments):
        return ""
    if "beat" in arguments:
        return "laurel-beat"
    queues = [text for option, text in pairwise(arguments) if option in ("-Q", "--queues")]
    queues += [text.partition("=")[2] for text in arguments if text.startswith("--queues=")]
    return f"laurel-worker-{queues[0]}" if queues and "," not in queues[0] else "laurel-worker"
