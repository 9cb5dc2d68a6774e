"""Unlocks of games that have rules of plausibility: what breaks one is kept apart, everything else is recorded.

Weighed is what somebody claims: an unlock, the last step, a stat that reached its threshold. What follows from unlocks
that count (metas), and what the platform gives by itself (backfills, players who were joined), is not; but what was
kept apart before, or rejected, is given by nobody. Each is answered as if it had been recorded (ADR 0040).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import transaction

from achievements import completing, flagging, pacing, plausibility, progressing
from achievements.completing import Catalogues, record_and_complete
from achievements.flagging import Flag, InGame, New, Pair
from achievements.models import FlaggedUnlock
from achievements.pacing import Growth
from achievements.plausibility import MINUTE_US, Known, Rules, Session
from achievements.selectors.definitions import GameCatalogue
from achievements.unlocking import Item, Outcome
from core.clock import from_microseconds, microseconds
from stats.selectors import playtimes


@dataclass(frozen=True, slots=True)
class _Claim:
    """An item whose player is known; `at_us` is when it happened, as far as that is believed."""

    place: int
    item: Item
    player_id: int
    rules: Rules
    heard_us: int
    at_us: int

    @property
    def pair(self) -> Pair:
        return self.player_id, self.item.achievement_id

    @property
    def in_game(self) -> InGame:
        return self.player_id, self.item.game_id


def record_weighed(
    items: Sequence[Item], *, at: datetime, offline: bool = False, silent: bool = False, judges: bool = True
) -> list[Outcome]:
    """Record a batch as `record_and_complete` does, but for what breaks a rule of its game.

    Without `judges` no rule is asked, and only what was kept apart before is passed by.

    Raises:
        LostRace: a catalogue changed meanwhile; the transaction is to be rolled back and run again.

    """
    catalogues = completing.catalogues_of(items)
    if all(catalogues[item.game_id].plausibility is None for item in items):
        return record_and_complete(items, at=at, offline=offline, silent=silent)
    with transaction.atomic():
        progressing.keep_achievements(item.game_id for item in items)
        claims, apart = _claims(items, catalogues)
        new: list[New] = []
        if claims:
            if judges:
                flagging.lock_players(claim.player_id for claim in claims)
            kept_apart, new = _part(claims, catalogues, judges=judges)
            apart |= kept_apart
        passed = [place for place in range(len(items)) if place not in apart]
        recorded = record_and_complete(
            [items[place] for place in passed], at=at, offline=offline, silent=silent
        )
        flagging.keep(new, offline=offline)
        outcomes = dict(zip(passed, recorded, strict=True)) | apart
        totals = flagging.totals_as_told(claim.in_game for claim in claims if outcomes[claim.place].recorded)
    for claim in claims:
        if outcomes[claim.place].recorded:
            points, unlocked = totals[claim.in_game]
            outcomes[claim.place] = replace(outcomes[claim.place], points=points, unlocked=unlocked)
    return [outcomes[place] for place in range(len(items))]


def _claims(items: Sequence[Item], catalogues: Catalogues) -> tuple[list[_Claim], dict[int, Outcome]]:
    """Return what is to be weighed, in the order in which it happened, and the outcomes of what can't be, by place.

    Who is unknown, banned or erased, and what was checked against an older catalogue, is not recorded either: by then
    somebody else may have named the player, and it would count unweighed.
    """
    names = [(item.studio_id, item.external_id, item.game_id) for item in items]
    who, now_us = progressing.look_up(names)
    claims, left = [], {}
    for place, (item, one) in enumerate(zip(items, who, strict=True)):
        rules = catalogues[item.game_id].plausibility
        if rules is None:
            continue
        heard_us = item.first_heard_us or now_us + place + 1
        is_outdated = one.version != item.version
        if one.player_id is None or one.banned or one.erased or is_outdated:
            unknown_us = heard_us if one.player_id is None else None
            left[place] = Outcome(
                one.player_id, one.banned, one.erased, outdated=is_outdated, heard_us=unknown_us
            )
            continue
        told = None if item.is_of_device or item.unlocked_at is None else microseconds(item.unlocked_at)
        at_us = heard_us if told is None else min(told, heard_us)
        claims.append(_Claim(place, item, one.player_id, rules, heard_us, at_us))
    return sorted(claims, key=lambda claim: (claim.at_us, claim.place)), left


def _part(
    claims: Sequence[_Claim], catalogues: Catalogues, *, judges: bool
) -> tuple[dict[int, Outcome], list[New]]:
    """Return the outcomes of what does not count, by place, and what of it is new."""
    flags = flagging.flags_of(claim.pair for claim in claims)
    known = _known(claims) if judges else {}
    apart: dict[int, Outcome] = {}
    new: dict[Pair, New] = {}
    for claim in claims:
        held = known[claim.in_game] if judges else Known()
        if claim.item.achievement_id in held.has:
            continue
        if (flag := flags.get(claim.pair)) is not None:
            apart[claim.place] = _answered(claim, flag)
            continue
        found = _broken(claim, held) if judges else []
        held.moments.append(claim.at_us)
        if not found:
            held.has.add(claim.item.achievement_id)
            continue
        row = new[claim.pair] = _new(claim, found, held, catalogues)
        flags[claim.pair] = Flag(FlaggedUnlock.State.OPEN, row.unlocked_at, row.event_id)
        held.flagged[claim.item.achievement_id] = FlaggedUnlock.State.OPEN
        apart[claim.place] = replace(_answered(claim, flags[claim.pair]), recorded=True)
    return apart, list(new.values())


def _answered(claim: _Claim, flag: Flag) -> Outcome:
    return Outcome(claim.player_id, is_apart=True, unlocked_at=flag.unlocked_at, event_id=flag.event_id)


def _broken(claim: _Claim, held: Known) -> list[dict[str, Any]]:
    return plausibility.broken(claim.rules, claim.item.achievement_id, at_us=claim.at_us, known=held)


def _new(claim: _Claim, found: list[dict[str, Any]], held: Known, catalogues: Catalogues) -> New:
    item = claim.item
    since_us, since = held.beginning(claim.at_us)
    session = held.session
    return New(
        player_id=claim.player_id,
        achievement_id=item.achievement_id,
        game_id=item.game_id,
        studio_id=item.studio_id,
        points=item.points,
        unlocked_at=item.unlocked_at or from_microseconds(claim.heard_us),
        heard_us=claim.heard_us,
        event_id=item.event_id,
        rules=list(dict.fromkeys(one["rule"] for one in found)),
        evidence={
            "broken": [_named(one, catalogues[item.game_id]) for one in found],
            "at_us": claim.at_us,
            "since_us": since_us,
            "since": since,
            "device": item.is_of_device,
            "session": session
            and {
                "count": session.count,
                "first_us": session.first_us,
                "began_us": session.began_us,
                "seen_us": session.seen_us,
            },
        },
    )


def _named(found: dict[str, Any], catalogue: GameCatalogue) -> dict[str, Any]:
    """Return what was found as it is kept: achievements by key."""
    if "first" not in found:
        return found
    first = next(one.key for one in catalogue.by_key.values() if one.id == found["first"])
    return {**found, "first": first}


def _known(claims: Sequence[_Claim]) -> Mapping[InGame, Known]:
    """Return what is known of the players before the claims."""
    games = {(*claim.in_game, claim.item.studio_id) for claim in claims}
    named = flagging.named_since(games)
    signs = playtimes.signs_of(claim.in_game for claim in claims)
    known = {
        pair: Known(
            named.get(pair),
            Session(one.sessions, one.first_us, one.began_us, one.seen_us)
            if (one := signs.get(pair))
            else None,
        )
        for pair in {claim.in_game for claim in claims}
    }
    wanted = {
        (claim.player_id, achievement_id): claim.in_game
        for claim in claims
        for achievement_id in (
            claim.item.achievement_id,
            *claim.rules.before.get(claim.item.achievement_id, ()),
        )
    }
    for pair in flagging.unlocked(wanted):
        known[wanted[pair]].has.add(pair[1])
    for pair, flag in flagging.flags_of(wanted).items():
        known[wanted[pair]].flagged[pair[1]] = flag.state
    for heard in (False, True):
        for player_id, game_id, moment in flagging.moments(_spans(claims, heard=heard), heard=heard):
            known[player_id, game_id].moments.append(moment)
    _note_ways(claims, known)
    return known


def _note_ways(claims: Sequence[_Claim], known: Mapping[InGame, Known]) -> None:
    """Note how players came to what has a pace; who claims it before his steps are there takes the rest at once."""
    paced = [claim for claim in reversed(claims) if claim.item.achievement_id in claim.rules.paces]
    held = pacing.held(claim.pair for claim in paced)
    for claim in paced:
        pace, kept = claim.rules.paces[claim.item.achievement_id], held[claim.pair]
        way = kept.way
        if pace.target is not None and kept.current < pace.target:
            growth = Growth(claim.pair, pace.a_minute, kept.current, pace.target, claim.at_us)
            way = kept.advance(growth)
        if way is not None:
            known[claim.in_game].ways[claim.item.achievement_id] = way


def _spans(claims: Iterable[_Claim], *, heard: bool) -> list[tuple[int, int, int, int]]:
    """Return around which times the rate of each player in a game is asked for."""
    times: dict[InGame, list[int]] = defaultdict(list)
    for claim in claims:
        if claim.rules.per_minute is not None and claim.item.is_of_device == heard:
            times[claim.in_game].append(claim.at_us)
    return [(*pair, min(found) - MINUTE_US, max(found) + MINUTE_US) for pair, found in sorted(times.items())]
