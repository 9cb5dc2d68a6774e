"""Every expected "no": one exception, and the catalogue of problems it is answered with (RFC 9457)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

_UNKNOWN_SHOWN = 10
_ERRORS_TOLD = 20


def pointer(*names: str | int) -> str:
    """Return the place in a body that names lead to (RFC 6901); the whole body for none."""
    return "".join("/" + str(name).replace("~", "~0").replace("/", "~1") for name in names)


@dataclass(frozen=True)
class Problem:
    """A kind of refusal, as its page explains it."""

    slug: str
    title: str
    status: int
    meaning: str
    remedy: str


PROBLEMS: dict[str, Problem] = {
    problem.slug: problem
    for problem in (
        Problem(
            "malformed-request",
            "The request can't be read",
            400,
            "The body is not strict JSON or has another shape than the operation takes, or a name is unknown.",
            "Compare the request with the operation in the API's documentation; `errors` points at the place.",
        ),
        Problem(
            "credential-expired",
            "The server key's time is over",
            401,
            "The key was issued until a certain moment, or was rotated and its overlap has ended.",
            "Use the key that replaced it, or issue a new one. Until a rotated key ends, answers carry the headers "
            "`Deprecation` and `Sunset`.",
        ),
        Problem(
            "unauthenticated",
            "The caller is not known",
            401,
            "There is no usable credential: it is missing, mistyped, expired, revoked or not one of this instance.",
            "Send `Authorization: Bearer` with a server key or a player token.",
        ),
        Problem(
            "forbidden",
            "The caller may not do this",
            403,
            "The credential is valid but lacks the scope, the role or the right for this operation.",
            "Use a credential with what `detail` names.",
        ),
        Problem(
            "not-found",
            "There is no such thing here",
            404,
            "The address or an id in the request names nothing that this credential can see.",
            "Check the id and the studio that the credential belongs to.",
        ),
        Problem(
            "method-not-allowed",
            "This address does not take this method",
            405,
            "The address exists, the method does not.",
            "Use one of the methods in the `Allow` header.",
        ),
        Problem(
            "not-acceptable",
            "The answer can't be given in that form",
            406,
            "The `Accept` header asks for something else than JSON.",
            "Accept `application/json`.",
        ),
        Problem(
            "conflict",
            "The request does not fit the present state",
            409,
            "What was asked is well-formed but contradicts what is stored: a taken name, an archived achievement, "
            "a closed window, a request that is still running.",
            "Read `detail`, bring both in line, and send it again.",
        ),
        Problem(
            "cursor-too-old",
            "What the cursor points at is kept no more",
            410,
            "What comes after the cursor was kept for some days and then dropped, or the cursor is of a log that was "
            "begun anew. Nothing is answered, since there would be a gap.",
            "Read again without a cursor, from the beginning of what is kept, and take what is missing from elsewhere.",
        ),
        Problem(
            "gone",
            "This was erased",
            410,
            "The person or object existed and was erased for good.",
            "Stop sending data about it.",
        ),
        Problem(
            "payload-too-large",
            "The body is too large",
            413,
            "A body may have 1 MiB, an import 10 MiB, an icon 512 KiB.",
            "Split it into several requests.",
        ),
        Problem(
            "unsupported-media-type",
            "The body has a form that is not taken",
            415,
            "Only uncompressed `application/json` is read (imports and icons take the formats they name).",
            "Send `Content-Type: application/json` without `Content-Encoding`.",
        ),
        Problem(
            "webhook-url-not-allowed",
            "A webhook may not go there",
            422,
            "Webhooks go to public servers over https; addresses of private networks, and forms that hide one, are "
            "refused, at saving and at every connection.",
            "Give a public https address with a host name; an operator can allow networks of his own.",
        ),
        Problem(
            "validation-failed",
            "A value can't be",
            422,
            "The request is well-formed, but at least one value is outside what it may be.",
            "`errors` names each value with a pointer (RFC 6901) and what it may be.",
        ),
        Problem(
            "rate-limited",
            "Too many requests",
            429,
            "The limit of this caller for this operation is used up.",
            "Wait as long as `Retry-After` says.",
        ),
        Problem(
            "internal-error",
            "Something broke here",
            500,
            "This is a fault of the platform, not of the request. Nothing was changed.",
            "Try again; if it stays, give the operator the `request_id`.",
        ),
        Problem(
            "storage-full",
            "Nothing can be written just now",
            503,
            "The disk of the database is nearly full, and nothing new is taken before it is. What was answered with "
            "success is safe, and everything can be read.",
            "Send the same request again after `Retry-After` seconds; repeating it is safe. Somebody has to make room.",
        ),
        Problem(
            "unavailable",
            "Not possible right now",
            503,
            "Something that the answer needs is down or busy. Nothing was lost of what was answered with success.",
            "Send the same request again after `Retry-After` seconds; repeating it is safe.",
        ),
    )
}


class Refused(Exception):
    """An expected refusal: nothing was changed, and the caller is told why and what to do.

    Attributes:
        slug: which of PROBLEMS it is.
        detail: one or two sentences about this very case.
        errors: for validation, `{"pointer": "/player", "detail": "…"}` each, of a file with its `row`.
        headers: what the answer carries besides.

    """

    slug = "conflict"

    def __init__(
        self,
        detail: str,
        *,
        slug: str | None = None,
        errors: Sequence[Mapping[str, Any]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.slug = slug or type(self).slug
        self.detail = detail
        self.errors = list(errors)
        self.headers = dict(headers or {})

    @property
    def problem(self) -> Problem:
        """The kind of refusal."""
        return PROBLEMS[self.slug]

    def body(
        self, *, public_url: str, instance: str | None = None, request_id: str | None = None
    ) -> dict[str, Any]:
        """Return the problem details object (RFC 9457)."""
        problem = self.problem
        body: dict[str, Any] = {
            "type": f"{public_url}/problems/{problem.slug}",
            "title": problem.title,
            "status": problem.status,
            "detail": self.detail,
        }
        if instance is not None:
            body["instance"] = instance
        if request_id is not None:
            body["request_id"] = request_id
        if self.errors:
            body["errors"] = self.errors
        return body


@dataclass(frozen=True, slots=True)
class Told:
    """What a caller was told of a refusal: kept without the refusal, which holds all that led to it.

    Attributes:
        errors: pointer and detail of each.

    """

    slug: str = ""
    detail: str = ""
    errors: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, refused: Refused) -> "Told":
        """Return what a refusal tells."""
        errors = tuple(
            (row.get("pointer", ""), row.get("detail", "")) for row in islice(refused.errors, _ERRORS_TOLD)
        )
        return cls(refused.slug, refused.detail, errors)


class Malformed(Refused):
    """The request can't be read."""

    slug = "malformed-request"

    @classmethod
    def names(cls, unknown: Iterable[str], *, known: Iterable[str], within: str = "") -> "Malformed":
        """Refuse names in a body, or in what `within` points at, that are not taken or can't be written."""
        detail = f"Unknown or read-only. Known: {', '.join(sorted(known))}."
        shown = islice(unknown, _UNKNOWN_SHOWN)
        return cls(
            "The body holds a name that this operation does not take.",
            errors=[{"pointer": within + pointer(name), "detail": detail} for name in shown],
        )


class Invalid(Refused):
    """A value can't be; `errors` says which."""

    slug = "validation-failed"

    @classmethod
    def value(cls, pointer: str, detail: str) -> "Invalid":
        """Refuse one value."""
        return cls("A value of the request can't be.", errors=[{"pointer": pointer, "detail": detail}])


class Unauthenticated(Refused):
    """The caller is not known."""

    slug = "unauthenticated"

    def __init__(self, detail: str) -> None:
        super().__init__(detail, headers={"WWW-Authenticate": "Bearer"})


class CredentialExpired(Unauthenticated):
    """The caller was known once."""

    slug = "credential-expired"


class Forbidden(Refused):
    """The caller is known and may not."""

    slug = "forbidden"


class NotFound(Refused):
    """Nothing here that this caller can see."""

    slug = "not-found"


class Conflict(Refused):
    """Contradicts what is stored."""

    slug = "conflict"


class Gone(Refused):
    """Erased for good."""

    slug = "gone"


class Unavailable(Refused):
    """Not possible right now; the same request may be sent again."""

    slug = "unavailable"

    def __init__(self, detail: str, *, retry_after_s: int = 2) -> None:
        super().__init__(detail, headers={"Retry-After": str(retry_after_s)})
