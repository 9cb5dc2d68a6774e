"""Which requests are let in first when there are too many (core/front_door.py, docs/adr/0064-admission.md)."""

from config.settings.environment import env
from core.admission import Sort

__all__ = ["ADMISSION", "ADMISSION_OF_ONE_CALLER", "ADMISSION_ROOM"]

_REPORTS = r"POST /api/v1/(?:achievements/|stats/report|leaderboards/[^/]+/[^/]+/scores)"
_READS = "(?:GET|HEAD)"  # what a HEAD leaves out is sent by nobody, but worked out all the same
_EXPENSIVE = (
    rf"{_READS} /api/v1/games/[^/]+/(?:analytics/|facts|achievements/export)",
    rf"{_READS} /api/v1/players/.+/export",
    rf"{_READS} /api/v1/leaderboards/.+/(?:standings|snapshots)",
    r"[A-Z]+ /portal/[^/]+/(?:exports|audit\.csv|requests\.csv|players/[^/]+/export)",
    r"[A-Z]+ /portal/[^/]+/games/[^/]+/(?:analytics|achievements/export)",
    r"[A-Z]+ /me/settings/export",
)
# The least important first, each with what its `METHOD /address` begins with: a request is of the first that matches.
# A web process has ten connections to the database; what is no report of a game leaves two of them free. Reports wait
# for one another in a group anyway (core/group_commit.py), and once is enough: a wait at the door cost a tenth of them.
ADMISSION = [
    (
        Sort("exports and analytics", at_once=3, patience_s=1.0, yields_s=0.01, yields_lag_s=10.0),
        "|".join(_EXPENSIVE),
    ),
    (
        Sort("dashboards", at_once=5, patience_s=1.0, yields_s=0.025, yields_lag_s=20.0),
        rf"{_READS} /(?:api/v1/players/.+/(?:dashboard|trends|recap|compare)|portal/|me/|search|players/)",
    ),
    (
        Sort("boards and other reads", at_once=7, patience_s=0.5, yields_s=0.05, yields_lag_s=60.0),
        f"{_READS} /",
    ),
    (Sort("other writes", at_once=8, patience_s=0.5, yields_s=0.1), rf"(?!{_REPORTS})"),
    (Sort("reports of games", at_once=64, patience_s=0.3), ""),
]
# How many wait in a process for their turn, and how many may be inside of one key or, without one, one address.
ADMISSION_ROOM: int = env.int("ADMISSION_ROOM", default=128)
ADMISSION_OF_ONE_CALLER: int = env.int("ADMISSION_OF_ONE_CALLER", default=128)
