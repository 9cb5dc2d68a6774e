"""What the storm left, held against the journals and against a recomputation."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.platform import POINTS, Platform
from tests.storm.journal import Attempt, Thing
from tests.storm.plan import BOARD, KILLS, STEPS, Plan

_SHOWN = 5  # examples of each fault
_STORED = """
    SELECT i.external_id, a.key, count(*) FROM achievements_unlock u
      JOIN accounts_playeridentity i USING (player_id) JOIN achievements_achievement a ON a.id = u.achievement_id
     GROUP BY 1, 2
"""
_POINTS = """
    SELECT i.external_id, t.points FROM achievements_playertotal t JOIN accounts_playeridentity i USING (player_id)
"""
_STEPS = """
    SELECT i.external_id, p.current FROM achievements_progress p
      JOIN accounts_playeridentity i USING (player_id)
      JOIN achievements_achievement a ON a.id = p.achievement_id WHERE a.key = %s
"""
_KILLS = """
    SELECT i.external_id, v.value::bigint FROM stats_statvalue v
      JOIN accounts_playeridentity i USING (player_id) JOIN stats_stat s ON s.id = v.stat_id WHERE s.key = %s
"""
_BEST = """
    SELECT i.external_id, abs(s.sort_value) FROM leaderboards_score s
      JOIN accounts_playeridentity i USING (player_id) JOIN leaderboards_period p ON p.id = s.period_id
      JOIN leaderboards_leaderboard b ON b.id = p.leaderboard_id WHERE b.key = %s
"""
_HOOKED = """
    SELECT i.external_id, a.key FROM achievements_unlock u
      JOIN accounts_playeridentity i USING (player_id) JOIN achievements_achievement a ON a.id = u.achievement_id
     WHERE u.game_id = %s
"""


@dataclass
class Verdict:
    """How it went, of unlocks in the words of Jepsen's checker of sets.

    Attributes:
        attempts: different unlocks that somebody tried to report.
        acknowledged: of those, how many were answered with success.
        ok: acknowledged and stored once.
        lost: acknowledged and not stored.
        unexpected: stored, though nobody tried; or answered as nobody may be.
        duplicated: stored twice, or told twice to be new.
        recovered: stored by a request whose answer nobody heard, and found by the one that was sent again.
        double_counted: players whose points, steps or values are more than they reported.
        uncounted: players whose are less.
        differences: what does not follow from the unlocks, a line each.

    """

    attempts: int = 0
    acknowledged: int = 0
    ok: int = 0
    lost: int = 0
    unexpected: int = 0
    duplicated: int = 0
    recovered: int = 0
    double_counted: int = 0
    uncounted: int = 0
    differences: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        """Say whether nothing was lost, doubled or made up."""
        bad = (self.lost, self.unexpected, self.duplicated, self.double_counted, self.uncounted)
        return self.attempts == self.acknowledged == self.ok and not any(bad) and not self.differences

    def __str__(self) -> str:
        """Say it as a table."""
        names = (
            *("attempts", "acknowledged", "ok", "lost", "unexpected", "duplicated", "recovered"),
            *("double_counted", "uncounted"),
        )
        lines = [f"{name.replace('_', '-'):15} {getattr(self, name):>9,}" for name in names]
        return "\n".join([*lines, f"{'differences':15} {len(self.differences):>9,}", *self.differences])


def judge(
    platform: Platform,
    attempts: Iterable[Attempt],
    plans: Sequence[Plan],
    *,
    surprises: Sequence[str],
) -> Verdict:
    """Hold journals against what is stored, and what is stored against what follows from it."""
    verdict = Verdict()
    acknowledged = _judge_unlocks(verdict, list(attempts), platform)
    verdict.unexpected += len(surprises)
    verdict.differences += surprises[:_SHOWN]
    points = Counter(
        {player: n * POINTS for player, n in Counter(player for player, _ in acknowledged).items()}
    )
    for what, sql, params, expected in (
        ("points", _POINTS, (), points),
        ("steps", _STEPS, (STEPS,), _united(plan.steps for plan in plans)),
        ("kills", _KILLS, (KILLS,), _united(plan.kills for plan in plans)),
        ("best scores", _BEST, (BOARD,), _united(plan.best for plan in plans)),
    ):
        _judge_numbers(verdict, what, dict(platform.rows(sql, params)), expected)
    for what, rows in platform.differences().items():
        verdict.differences.append(f"{what}: {len(rows)} rows such as {rows[:_SHOWN]}")
    checked = platform.try_to_manage("rebuild_analytics", "--check")
    if "0 differences" not in checked.stdout:
        verdict.differences.append(f"analytics: {checked.stdout}{checked.stderr}")
    return verdict


def hooked(platform: Platform, game_id: int, heard: Iterable[tuple[Thing, str]]) -> list[str]:
    """Return what is wrong with webhooks: each unlock of a game was sent, under one id."""
    ids: dict[Thing, set[str]] = defaultdict(set)
    for thing, name in heard:
        ids[thing].add(name)
    stored = {(player, key) for player, key in platform.rows(_HOOKED, (game_id,))}
    wrong = {
        "unlocks without a webhook": stored - ids.keys(),
        "webhooks without an unlock": ids.keys() - stored,
        "unlocks under two webhook ids": {thing for thing, names in ids.items() if len(names) > 1},
    }
    return [
        f"{len(things)} {what}, such as {sorted(things)[:_SHOWN]}" for what, things in wrong.items() if things
    ]


def _judge_unlocks(verdict: Verdict, attempts: Sequence[Attempt], platform: Platform) -> set[Thing]:
    stored = {(player, key): n for player, key, n in platform.rows(_STORED) if key != STEPS}
    tried, acknowledged, unheard = set[Thing](), set[Thing](), set[Thing]()
    told_new: Counter[Thing] = Counter()
    for attempt in attempts:
        tried.update(attempt.unlocks)
        if attempt.status not in (200, 202):
            unheard.update(attempt.unlocks)
        for thing, outcome in zip(attempt.unlocks, attempt.outcomes, strict=False):
            if outcome == "rejected":
                verdict.unexpected += 1
                verdict.differences.append(f"{thing} was rejected")
                continue
            acknowledged.add(thing)
            told_new[thing] += outcome == "unlocked" and not attempt.replayed
    verdict.attempts, verdict.acknowledged = len(tried), len(acknowledged)
    verdict.ok = sum(stored.get(thing) == 1 for thing in acknowledged)
    verdict.lost = len(acknowledged - stored.keys())
    verdict.unexpected += len(stored.keys() - tried)
    doubled = {thing for thing, n in stored.items() if n > 1} | {
        thing for thing, n in told_new.items() if n > 1
    }
    verdict.duplicated = len(doubled)
    verdict.recovered = sum(not told_new[thing] for thing in unheard & stored.keys())
    for what, things in (("lost", acknowledged - stored.keys()), ("duplicated", doubled)):
        verdict.differences += [f"{what}: {thing}" for thing in sorted(things)[:_SHOWN]]
    return acknowledged


def _judge_numbers(
    verdict: Verdict, what: str, found: Mapping[str, Any], expected: Mapping[str, int]
) -> None:
    for player in found.keys() | expected.keys():
        has, due = found.get(player, 0), expected.get(player, 0)
        if has != due:
            verdict.double_counted += has > due
            verdict.uncounted += has < due
            verdict.differences.append(f"{what} of {player}: {has}, due {due}")


def _united(each: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Players of several clients' plans are their own."""
    return {player: number for one in each for player, number in one.items()}
