"""Who may come in, and how: secrets, hosts, cookies, headers, player tokens."""

import hashlib
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from config.settings.apps import LIVE_URL, LOOPBACK_NAMES, PUBLIC_URL, SOCIAL_HOSTS, SOCIAL_PROVIDERS
from config.settings.environment import DEBUG, env

__all__ = [
    "ALLOWED_HOSTS",
    "AUDIT_SECRETS",
    "AUTH_PASSWORD_VALIDATORS",
    "CONTENT_SECURITY_POLICY",
    "CSRF_COOKIE_HTTPONLY",
    "CSRF_COOKIE_NAME",
    "CSRF_COOKIE_SECURE",
    "CSRF_FAILURE_VIEW",
    "CSRF_TRUSTED_ORIGINS",
    "DATA_UPLOAD_MAX_MEMORY_SIZE",
    "DATA_UPLOAD_MAX_NUMBER_FIELDS",
    "ERASURE_SECRETS",
    "KNOWN_BROWSER_COOKIE",
    "LANGUAGE_COOKIE_NAME",
    "LOGIN_REDIRECT_URL",
    "LOGIN_URL",
    "MESSAGES_COOKIE",
    "MESSAGE_STORAGE",
    "PASSWORD_HASHERS",
    "PLAYER_COOKIE",
    "PLAYER_TOKEN_KEYS",
    "RATELIMIT_FAIL_OPEN",
    "RATELIMIT_IP_META_KEY",
    "SECRET_KEY",
    "SECURE_CONTENT_TYPE_NOSNIFF",
    "SECURE_HSTS_INCLUDE_SUBDOMAINS",
    "SECURE_HSTS_PRELOAD",
    "SECURE_HSTS_SECONDS",
    "SECURE_PROXY_SSL_HEADER",
    "SECURE_REDIRECT_EXEMPT",
    "SECURE_REFERRER_POLICY",
    "SECURE_SSL_REDIRECT",
    "SESSION_COOKIE_HTTPONLY",
    "SESSION_COOKIE_NAME",
    "SESSION_COOKIE_SAMESITE",
    "SESSION_COOKIE_SECURE",
    "SHORTCUTS_COOKIE",
    "SILENCED_SYSTEM_CHECKS",
    "THEME_COOKIE",
    "WROTE_COOKIE",
    "X_FRAME_OPTIONS",
]

SECRET_KEY = env.str("SECRET_KEY", default="")
if not SECRET_KEY:
    if not DEBUG:
        raise ImproperlyConfigured(
            "SECRET_KEY is not set. Set it to 50 or more random characters and keep it."
        )
    SECRET_KEY = "only-for-debugging-on-this-machine"  # noqa: S105

_https = PUBLIC_URL.startswith("https://")
_host = urlsplit(PUBLIC_URL).hostname or "localhost"
# Whoever asks on this machine whether we are well names it so, whatever names lead here from outside.
ALLOWED_HOSTS = [*env.list("ALLOWED_HOSTS", default=[_host]), "localhost", "127.0.0.1", "[::1]"]
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
CSRF_FAILURE_VIEW = "core.problems.csrf_failure"
CSRF_COOKIE_SECURE = SESSION_COOKIE_SECURE = _https
CSRF_COOKIE_HTTPONLY = SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
# `__Host-` binds a cookie to this host and to https: no page of another one can set it (RFC 6265bis §4.1.3).
_bound = "__Host-" if _https else ""
SESSION_COOKIE_NAME = f"{_bound}sessionid"
CSRF_COOKIE_NAME = f"{_bound}csrftoken"
PLAYER_COOKIE = f"{_bound}laurel_player"  # players' browsers (accounts/sessions.py)
KNOWN_BROWSER_COOKIE = f"{_bound}laurel_browser"  # accounts/known_browsers.py
LANGUAGE_COOKIE_NAME = f"{_bound}language"
THEME_COOKIE = f"{_bound}theme"
SHORTCUTS_COOKIE = f"{_bound}shortcuts"
WROTE_COOKIE = f"{_bound}wrote"  # core/middleware.py
MESSAGES_COOKIE = f"{_bound}messages"
MESSAGE_STORAGE = "core.messages.Messages"
SECURE_CONTENT_TYPE_NOSNIFF = True
# Both are there, as subclasses that pass the API by (core/middleware.py); these two checks know exact names only.
SILENCED_SYSTEM_CHECKS = ["security.W002", "security.W003"]
SECURE_REFERRER_POLICY = "same-origin"
SECURE_SSL_REDIRECT = _https
SECURE_REDIRECT_EXEMPT = [r"^livez$", r"^readyz$", r"^metrics$"]
SECURE_HSTS_SECONDS = 31_536_000 if _https else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = _https
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if _https else None
X_FRAME_OPTIONS = "DENY"
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "portal"
# Behind a proxy everybody comes from its address; name the variable that has the client's, such as HTTP_X_REAL_IP.
RATELIMIT_IP_META_KEY = env.str("CLIENT_ADDRESS_VARIABLE", default="REMOTE_ADDR")
RATELIMIT_FAIL_OPEN = (
    True  # without Valkey nothing is counted: whoever runs the instance must be able to sign in
)
# The first keeps passwords; what another one kept is exchanged when its owner signs in.
PASSWORD_HASHERS = [
    "accounts.hashing.Argon2id",
    "accounts.hashing.Scrypt",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
# The largest body taken anywhere: an import. The API's other bodies are limited to 1 MiB by their parser.
DATA_UPLOAD_MAX_MEMORY_SIZE = 10 * 1024 * 1024
# The longest form has 500 rules of two fields, twice: a game's plausibility.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 3_000

_live = urlsplit(LIVE_URL)
_live_hosts = LOOPBACK_NAMES if _live.hostname in LOOPBACK_NAMES else (_live.hostname,)
_live_netlocs = [f"{host}:{_live.port}" if _live.port else host for host in _live_hosts]
# Browsers hold where a form's answer leads to against form-action: https://github.com, or a server of one's own.
_vouching = [
    f"https://{secrets.partition(':https://')[2].partition('/')[0]}"
    if ":https://" in secrets
    else SOCIAL_HOSTS[name]
    for name, secrets in SOCIAL_PROVIDERS.items()
]
CONTENT_SECURITY_POLICY: dict[str, Any] = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, NONCE],
        "style-src": [SELF],
        "img-src": [SELF, "https:", "data:"],
        "connect-src": [
            SELF,
            *(f"{_live.scheme}://{netloc}" for netloc in _live_netlocs),
            *(f"{'wss' if _live.scheme == 'https' else 'ws'}://{netloc}" for netloc in _live_netlocs),
        ],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF, *_vouching],
        "frame-ancestors": [NONE],
    }
}


# Player tokens are signed by the first key and accepted from all of them, so keys can be rotated:
# PLAYER_TOKEN_KEYS="2026b=secret,2026a=older-secret".
def _token_keys() -> dict[str, str]:
    derived = {"1": hashlib.sha256(b"laurel player tokens " + SECRET_KEY.encode()).hexdigest()}
    with suppress(ValueError):
        given: dict[str, str] = env.dict("PLAYER_TOKEN_KEYS", default=derived) or derived
        if all(name and len(secret) >= _SHORTEST_TOKEN_KEY for name, secret in given.items()):
            return given
    raise ImproperlyConfigured(
        "PLAYER_TOKEN_KEYS is not understood: write name=secret, several with commas between them, newest first, "
        f"each secret of {_SHORTEST_TOKEN_KEY} or more random characters: openssl rand -hex 32"
    )


_SHORTEST_TOKEN_KEY = 32
PLAYER_TOKEN_KEYS = _token_keys()

# The audit log is sealed by the first secret and verified by all: AUDIT_SECRETS="newest,older". One that sealed entries
# has to stay in the list, an old SECRET_KEY too, or they can't be verified any more (docs/adr/0035-the-audit-log.md).
AUDIT_SECRETS: list[str] = env.list("AUDIT_SECRETS", default=[]) or [SECRET_KEY]

# Names of who was erased are kept as hashes under the first secret and looked up under all of them (ADR 0047): one that
# noted names has to stay in the list, an old SECRET_KEY too, or whoever was erased can come back by a late report.
ERASURE_SECRETS: list[str] = env.list("ERASURE_SECRETS", default=[]) or [SECRET_KEY]
