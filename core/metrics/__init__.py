"""What a process tells Prometheus (docs/adr/0069-counting-and-telling.md, docs/operations/metrics.md).

Labels are bounded: never a studio, game, player, path, or the text of an error.
"""

import os
from typing import Final

from prometheus_client import Gauge, disable_created_metrics

from core import VERSION
from core.metrics import pools

PROCESS: Final = os.environ.get("LAUREL_PROCESS", "laurel")

disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series beside each counter, which nobody asks for
Gauge("laurel_build_info", "Which Laurel runs, and as which process.", ["version", "process"]).labels(
    VERSION, PROCESS
).set(1)
pools.register()
