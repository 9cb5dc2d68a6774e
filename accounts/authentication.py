"""DRF's door: server keys and player tokens in the Authorization header, and what each may do."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from django.utils.http import http_date
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from accounts import erased, keys, last_use, people, selectors, throttling, tokens
from accounts.people import Part
from accounts.selectors import GameInfo, KeyHolder, PlayerInfo
from accounts.services import clean_external_id
from core import clock, tracing
from core.clock import rfc3339
from core.ids import parse_id
from core.items import Errors, error
from core.refusals import CredentialExpired, Forbidden, Gone, Invalid, NotFound, Unauthenticated

if TYPE_CHECKING:
    from rest_framework.views import APIView  # which imports this module by its settings

_MAX_CREDENTIAL = 4096


@dataclass(frozen=True, slots=True)
class TokenHolder:
    """Whom a player token stands for."""

    player: PlayerInfo
    game: GameInfo

    @property
    def caller(self) -> str:
        """The owner of idempotency keys."""
        return f"player:{self.player.id}:{self.game.id}"

    @property
    def studio_id(self) -> int:
        """The studio of the token's game."""
        return self.game.studio_id


Holder = KeyHolder | TokenHolder


def holder_of(request: Request) -> Holder:
    """Return whom the request's credential stands for; the view's permission has seen to it that there is one."""
    return cast("Holder", request.auth)


class BearerAuthentication(BaseAuthentication):
    """Reads `Authorization: Bearer …`; nothing else, no cookie and no query parameter, identifies a caller."""

    def authenticate(self, request: Request) -> tuple[None, Holder] | None:
        """Return whom the credential stands for; None without one."""
        header = request.META.get("HTTP_AUTHORIZATION")
        if header is None:
            return None
        try:
            holder = read_credential(header)
        except CredentialExpired:
            raise  # who knows an old key is no stranger who guesses
        except Unauthenticated:
            request.parser_context["view"].headers |= throttling.failed(request._request).headers
            raise
        request._request.holder = holder  # type: ignore[attr-defined]  # for the request log
        if isinstance(holder, KeyHolder):
            if holder.rotated_at is not None:
                request.parser_context["view"].headers |= _ending(holder)
            if tracing.recorder is not None:
                tracing.recorder.hear_key(request.META.get("HTTP_TRACEPARENT"))
        return None, holder

    def authenticate_header(self, request: Request) -> str:
        """Name the scheme for a 401."""
        return "Bearer"


def read_credential(header: str) -> Holder:
    """Return whom an Authorization header stands for.

    Raises:
        Unauthenticated: another scheme, mistyped, unknown, revoked or expired (a server key: CredentialExpired).

    """
    scheme, _, credential = header.partition(" ")
    credential = credential.strip()
    if (
        scheme.lower() != "bearer"
        or not credential
        or len(credential) > _MAX_CREDENTIAL
        or not credential.isascii()
    ):
        raise Unauthenticated("Send `Authorization: Bearer` with one server key or player token.")
    if credential.startswith(keys.PREFIX):
        return _server_key(credential)
    return _player_token(credential)


def _server_key(key: str) -> KeyHolder:
    if not keys.is_well_formed(key):
        raise Unauthenticated("The server key is mistyped: its checksum does not fit. Copy it again.")
    holder = selectors.issued_key(keys.key_hash(key))
    if holder is None:
        raise Unauthenticated("The server key is unknown or revoked. Issue a new one.")
    if holder.expires_at is not None and holder.has_expired(clock.now()):
        instead = "Use the one that replaced it." if holder.rotated_at else "Issue a new one."
        raise CredentialExpired(f"The server key ended at {rfc3339(holder.expires_at)}. {instead}")
    last_use.note(holder.key_id)
    return holder


def _ending(holder: KeyHolder) -> dict[str, str]:
    """Return the headers that say since when a key is on its way out (RFC 9745), and when it ends (RFC 8594)."""
    assert holder.rotated_at is not None
    assert holder.expires_at is not None  # rotation says when
    return {
        "Deprecation": f"@{int(holder.rotated_at.timestamp())}",
        "Sunset": http_date(holder.expires_at.timestamp()),
    }


def _player_token(token: str) -> TokenHolder:
    try:
        claims = tokens.read(token, at=clock.now())
    except tokens.InvalidToken:
        raise Unauthenticated(
            "The player token is not valid here or has expired. Ask for a new one."
        ) from None
    game = selectors.game(claims.game)
    player = None if game is None else selectors.player_by_uuid(claims.player, studio_id=game.studio_id)
    if game is None or player is None or player.erased:
        raise Unauthenticated("The player token's player or game is gone. Ask for a new one.")
    if is_revoked(claims, player):
        raise Unauthenticated("The player token was revoked. Ask for a new one.")
    return TokenHolder(player=player, game=game)


def is_revoked(claims: tokens.PlayerClaims, player: PlayerInfo) -> bool:
    """Say whether a player's tokens were revoked after one was issued."""
    return player.tokens_from is not None and claims.issued_at < player.tokens_from


class HasScope(BasePermission):
    """Lets a server key through with the view's scope, and a player token where the view says so."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """Say yes, or refuse with the reason."""
        holder: Holder | None = cast("Holder | None", request.auth)
        public: frozenset[str] = getattr(view, "public", frozenset())
        method = "GET" if request.method == "HEAD" else request.method or ""
        if holder is None:
            if method in public:
                return True
            raise Unauthenticated(
                "This operation needs `Authorization: Bearer` with a server key or player token."
            )
        if isinstance(holder, TokenHolder):
            if method in getattr(view, "player_may", frozenset()) or method in public:
                return True
            raise Forbidden("A player token can't do this; it takes a server key.")
        scope = getattr(view, "scopes", {}).get(method)
        if scope is not None:
            require_scope(request, scope)
        return True


def require_scope(request: Request, scope: str) -> None:
    """Refuse a server key without a scope: for operations that need a second one. Raises Forbidden."""
    holder = holder_of(request)
    if not isinstance(holder, KeyHolder) or scope not in holder.scopes:
        raise Forbidden(f"The server key lacks the scope `{scope}`.")


def game_of(request: Request, uuid: UUID | None) -> GameInfo:
    """Return the game that a request is about, if its caller may know it.

    Without `uuid` it is the game of the key or token.

    Raises:
        Invalid: neither names one.
        NotFound: unknown, another studio's, or outside the key's or token's game.

    """
    holder = holder_of(request)
    own = holder.game.uuid if isinstance(holder, TokenHolder) else holder.game_uuid
    wanted = uuid or own
    if wanted is None:
        raise Invalid.value(
            "/game_id", "It is missing, and this server key is not of one game: say which game is meant."
        )
    game = None if own is not None and own != wanted else selectors.game(wanted)
    if game is None or game.studio_id != holder.studio_id:
        raise NotFound("There is no such game.")
    return game


def named_game(request: Request, game_id: str) -> GameInfo:
    """Return the game that a path names. Raises NotFound as `game_of` does, and for what is no id."""
    uuid = parse_id(game_id)
    if uuid is None:
        raise NotFound("There is no such game.")
    return game_of(request, uuid)


def player_of(request: Request, name: str) -> PlayerInfo:
    """Return the player that `name` means to the caller: a studio's id, `id:<uuid>`, or `me` with a token.

    A player token means its own player only, by whichever name.

    Raises:
        NotFound: the studio knows no such player.
        Gone: the person was erased.

    """
    holder = holder_of(request)
    if name == "me" and isinstance(holder, TokenHolder):
        return holder.player
    if name.startswith("id:"):
        uuid = parse_id(name[3:])
        info = None if uuid is None else selectors.player_by_uuid(uuid, studio_id=holder.studio_id)
    else:
        # What can't be anybody's id is not looked up: PostgreSQL would refuse some of it.
        info = selectors.player_of_studio(holder.studio_id, name) if name.isprintable() else None
    if info is None and isinstance(holder, KeyHolder) and erased.was_erased(holder.studio_id, name):
        raise Gone("This person was erased.")
    if info is None or (isinstance(holder, TokenHolder) and info.id != holder.player.id):
        raise NotFound("There is no such player.")
    if info.erased:
        raise Gone("This person was erased.")
    return info


def other_of(request: Request, name: str, *, part: Part = Part.PROFILE) -> PlayerInfo:
    """Return another player whom a path names, if the caller may see (that part of) him.

    He is named by a studio's id (with its key), or by `id:<uuid>`.

    Raises:
        NotFound: nobody, erased, or not to be seen: one answer for all of them.

    """
    holder = holder_of(request)
    by = holder.player.id if isinstance(holder, TokenHolder) else None
    may_be_named = by is None or name.startswith("id:")  # a studio's ids are no player's to try
    info = people.found(name, studio_id=holder.studio_id) if may_be_named else None
    if info is None or not people.sees(info, by=by, part=part):
        raise NotFound("There is no such player.")
    return info


def read_player_name(item: Mapping[str, Any], errors: Errors) -> str:
    """Return how a body names a player: a studio's id, `id:<uuid>` or `me`; what can't be a name is collected."""
    player = item.get("player")
    if player != "me" and not str(player).startswith("id:"):
        try:
            clean_external_id(player)
        except ValueError as problem:
            errors.append(error("/player", str(problem)))
    return str(player)


def external_id_of(request: Request, name: str) -> str:
    """Return the studio's id for the player whom a body names: `me`, `id:<uuid>` and a token's own are looked up.

    Raises:
        NotFound: `me` without a player token, or nobody whom the caller knows.
        Gone: the person was erased.

    """
    if not isinstance(holder_of(request), TokenHolder) and not name.startswith("id:"):
        if name == "me":
            raise NotFound("`me` needs a player token.")
        return name
    player = player_of(request, name)
    assert player.external_id is not None  # found through the studio's own id
    return player.external_id
