"""How users of the portal sign up and in, and how they are written to."""

from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from config.settings.apps import PUBLIC_URL, SOCIAL_PROVIDERS, VAR_DIR
from config.settings.environment import env

__all__ = [
    "ACCOUNT_ADAPTER",
    "ACCOUNT_CHANGE_EMAIL",
    "ACCOUNT_CONFIRM_EMAIL_ON_GET",
    "ACCOUNT_DEFAULT_HTTP_PROTOCOL",
    "ACCOUNT_EMAIL_SUBJECT_PREFIX",
    "ACCOUNT_EMAIL_VERIFICATION",
    "ACCOUNT_LOGIN_METHODS",
    "ACCOUNT_REAUTHENTICATION_REQUIRED",
    "ACCOUNT_SIGNUP_FIELDS",
    "ACCOUNT_USER_MODEL_USERNAME_FIELD",
    "AUTHENTICATION_BACKENDS",
    "DEFAULT_FROM_EMAIL",
    "EMAIL_BACKEND",
    "EMAIL_FILE_PATH",
    "EMAIL_HOST",
    "EMAIL_HOST_PASSWORD",
    "EMAIL_HOST_USER",
    "EMAIL_PORT",
    "EMAIL_TIMEOUT",
    "EMAIL_USE_SSL",
    "EMAIL_USE_TLS",
    "MAIL_IS_KEPT_HERE",
    "MFA_ADAPTER",
    "MFA_PASSKEY_LOGIN_ENABLED",
    "MFA_SUPPORTED_TYPES",
    "MFA_TOTP_ISSUER",
    "MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN",
    "POST_OFFICE",
    "SIGN_UP",
    "SOCIALACCOUNT_ADAPTER",
    "SOCIALACCOUNT_LOGIN_ON_GET",
    "SOCIALACCOUNT_PROVIDERS",
]

_https = PUBLIC_URL.startswith("https://")

# Whether anybody may sign up, or only who was invited to a studio.
SIGN_UP = env.str("SIGN_UP", default="open")
if SIGN_UP not in ("open", "invited"):
    raise ImproperlyConfigured("SIGN_UP must be `open` or `invited`.")

AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
ACCOUNT_ADAPTER = "accounts.signing_in.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_CONFIRM_EMAIL_ON_GET = False  # mail scanners follow links
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if _https else "http"

MFA_ADAPTER = "accounts.signing_in.FactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Laurel"
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not _https  # a developer's machine

SOCIALACCOUNT_ADAPTER = "accounts.signing_in.SocialAdapter"
SOCIALACCOUNT_LOGIN_ON_GET = False


def _provider(name: str, secrets: str) -> dict[str, Any]:
    client_id, has_secret, secret = secrets.partition(":")
    if not has_secret:
        raise ImproperlyConfigured(f"SOCIAL_SIGN_IN: {name} takes client-id:secret.")
    return {"APPS": [{"client_id": client_id, "secret": secret}], "VERIFIED_EMAIL": False}


SOCIALACCOUNT_PROVIDERS = {name: _provider(name, secrets) for name, secrets in SOCIAL_PROVIDERS.items()}

# Mail waits in PostgreSQL and is sent by a worker: a mail server that is away delays it and nothing else.
# EMAIL_URL is smtp+tls://user:password@host:587; without it mail becomes files in VAR_DIR/mail.
EMAIL_BACKEND = "post_office.EmailBackend"
EMAIL_TIMEOUT = 10
EMAIL_FILE_PATH = str(VAR_DIR / "mail")
MAIL_IS_KEPT_HERE = not env.str("EMAIL_URL", default="")
_mail: dict[str, Any] = env.email_url("EMAIL_URL", default="filemail://")
EMAIL_HOST = _mail.get("EMAIL_HOST") or "localhost"
EMAIL_PORT = _mail.get("EMAIL_PORT") or 25
EMAIL_HOST_USER = _mail.get("EMAIL_HOST_USER") or ""
EMAIL_HOST_PASSWORD = _mail.get("EMAIL_HOST_PASSWORD") or ""
EMAIL_USE_TLS = _mail.get("EMAIL_USE_TLS", False)
EMAIL_USE_SSL = _mail.get("EMAIL_USE_SSL", False)
_host = urlsplit(PUBLIC_URL).hostname or ""
_has_domain = "." in _host and not _host.replace(".", "").isdigit()  # laurel@127.0.0.1 is no address
DEFAULT_FROM_EMAIL = env.str("MAIL_FROM", default=f"Laurel <laurel@{_host if _has_domain else 'localhost'}>")
POST_OFFICE = {
    "BACKENDS": {"default": _mail["EMAIL_BACKEND"]},
    "DEFAULT_PRIORITY": "medium",  # wait for the worker
    "CELERY_ENABLED": False,  # its hint would need the broker within a request; core.tasks looks every few seconds
    "MAX_RETRIES": 60,
    "MESSAGE_ID_ENABLED": True,
}
