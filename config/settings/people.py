"""How users of the portal sign up and in, and how they are written to."""

from datetime import timedelta
from email.utils import parseaddr
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.validators import validate_email

from config.settings.apps import IN_PRODUCTION, PUBLIC_URL, SOCIAL_PROVIDERS, VAR_DIR
from config.settings.environment import DEMO, env

__all__ = [
    "ACCOUNT_ADAPTER",
    "ACCOUNT_CHANGE_EMAIL",
    "ACCOUNT_CONFIRM_EMAIL_ON_GET",
    "ACCOUNT_DEFAULT_HTTP_PROTOCOL",
    "ACCOUNT_EMAIL_NOTIFICATIONS",
    "ACCOUNT_EMAIL_SUBJECT_PREFIX",
    "ACCOUNT_EMAIL_VERIFICATION",
    "ACCOUNT_FORMS",
    "ACCOUNT_LOGIN_METHODS",
    "ACCOUNT_LOGIN_ON_EMAIL_CONFIRMATION",
    "ACCOUNT_LOGOUT_REDIRECT_URL",
    "ACCOUNT_RATE_LIMITS",
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
    "MFA_FORMS",
    "MFA_PASSKEY_LOGIN_ENABLED",
    "MFA_SUPPORTED_TYPES",
    "MFA_TOTP_ISSUER",
    "MFA_TOTP_TOLERANCE",
    "MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN",
    "OWNERS_NEED_SECOND_FACTOR",
    "POST_OFFICE",
    "SIGN_UP",
    "SOCIALACCOUNT_ADAPTER",
    "SOCIALACCOUNT_FORMS",
    "SOCIALACCOUNT_LOGIN_ON_GET",
    "SOCIALACCOUNT_PROVIDERS",
]

_https = PUBLIC_URL.startswith("https://")

# Whether anybody may sign up, or only who was invited to a studio.
SIGN_UP = env.str("SIGN_UP", default="open")
if SIGN_UP not in ("open", "invited"):
    raise ImproperlyConfigured("SIGN_UP must be `open` or `invited`.")

AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
ACCOUNT_ADAPTER = "accounts.signing_in.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_FORMS = {
    "change_password": "accounts.forms.ChangePasswordForm",
    "login": "accounts.forms.LoginForm",
    "reset_password_from_key": "accounts.forms.ResetPasswordKeyForm",
    "set_password": "accounts.forms.SetPasswordForm",
    "signup": "accounts.forms.SignUpForm",
    "reset_password": "accounts.forms.ResetPasswordForm",
}
SOCIALACCOUNT_FORMS = {"signup": "accounts.forms.SocialSignUpForm"}
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_CONFIRM_EMAIL_ON_GET = False  # mail scanners follow links
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_LOGIN_ON_EMAIL_CONFIRMATION = True  # in the browser that signed up, and in no other
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_EMAIL_NOTIFICATIONS = True  # of what somebody else may have done: a new password, a factor less
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if _https else "http"
# Wrong passwords of one address, and of one account wherever they come from. A browser that its owner signed in with
# before has a count of its own, so that nobody can lock the owner out.
ACCOUNT_RATE_LIMITS = {
    "login_failed": "10/15m/ip,50/15m/key",
    "known_browser": "10/15m/key",
    "second_factor": "10/15m/key",
    "change_password": "10/15m/user",  # with the old one, which who sits at another's browser may guess
}

MFA_ADAPTER = "accounts.signing_in.FactorAdapter"
MFA_FORMS = {
    "activate_totp": "accounts.second_factors.ActivateForm",
    "authenticate": "accounts.second_factors.AuthenticateForm",
    "reauthenticate": "accounts.second_factors.ReauthenticateForm",
    "add_webauthn": "accounts.passkeys.AddForm",
    "authenticate_webauthn": "accounts.passkeys.AuthenticateForm",
    "login_webauthn": "accounts.passkeys.LoginForm",
    "reauthenticate_webauthn": "accounts.passkeys.ReauthenticateForm",
}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Laurel"
MFA_TOTP_TOLERANCE = (
    1  # a code may be typed slowly, and clocks differ; accounts/second_factors.py takes each once
)
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not _https  # a developer's machine

# Whether owners of studios come to what is theirs by a password alone (accounts/owners.py).
OWNERS_NEED_SECOND_FACTOR = env.bool("OWNERS_NEED_SECOND_FACTOR", default=IN_PRODUCTION and not DEMO)

SOCIALACCOUNT_ADAPTER = "accounts.signing_in.SocialAdapter"
SOCIALACCOUNT_LOGIN_ON_GET = False


_OWN_SERVERS = {"gitlab": "gitlab_url", "openid_connect": "server_url"}
# Who documents PKCE (RFC 7636) for clients with a secret. The others may refuse what they do not know.
_WITHOUT_PKCE = frozenset({"twitch", "epicgames"})


def _provider(name: str, value: str) -> dict[str, Any]:
    """Read `client-id:secret`, and for a server of one's own `client-id:secret:https://its.address`."""
    if name == "steam":
        if value != "on":
            raise ImproperlyConfigured("SOCIAL_SIGN_IN: Steam gives no id and no secret: write steam=on.")
        return {}
    client_id, has_secret, rest = value.partition(":")
    secret, has_server, host = rest.partition(":https://")
    if not (client_id and has_secret and secret) or (has_server and name not in _OWN_SERVERS):
        raise ImproperlyConfigured(f"SOCIAL_SIGN_IN: {name} takes client-id:secret.")
    app: dict[str, Any] = {"client_id": client_id, "secret": secret}
    if has_server:
        app["settings"] = {_OWN_SERVERS[name]: f"https://{host}"}
    if name == "openid_connect":
        if not has_server:
            raise ImproperlyConfigured(
                "SOCIAL_SIGN_IN: openid_connect takes client-id:secret:https://server."
            )
        app |= {"provider_id": "sso", "name": urlsplit(f"https://{host}").hostname}
    return {"APPS": [app], "VERIFIED_EMAIL": False, "OAUTH_PKCE_ENABLED": name not in _WITHOUT_PKCE}


SOCIALACCOUNT_PROVIDERS = {name: _provider(name, secrets) for name, secrets in SOCIAL_PROVIDERS.items()}

# Mail waits in PostgreSQL and is sent by a worker: a mail server that is away delays it and nothing else.
# EMAIL_URL is smtp+tls://user:password@host:587; without it mail becomes files in VAR_DIR/mail.
EMAIL_BACKEND = "core.mail.Queue"
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


def _sender() -> str:
    """Read MAIL_FROM; by default at this instance's own name, if it has one that can stand in an address."""
    host = urlsplit(PUBLIC_URL).hostname or ""
    has_name = "." in host and not host.rpartition(".")[2].isdigit()
    sender: str = env.str("MAIL_FROM", default=f"Laurel <laurel@{host if has_name else 'localhost'}>")
    try:
        validate_email(parseaddr(sender)[1])
    except ValidationError:
        raise ImproperlyConfigured("MAIL_FROM must be an address, or `Name <address>`.") from None
    return sender


DEFAULT_FROM_EMAIL = _sender()
POST_OFFICE = {
    "BACKENDS": {"default": _mail["EMAIL_BACKEND"]},
    "DEFAULT_PRIORITY": "medium",  # wait for the worker
    "CELERY_ENABLED": False,  # its hint would need the broker within a request; core.tasks looks every few seconds
    "RETRY_INTERVAL": timedelta(minutes=2),
    "MAX_RETRIES": 720,  # a day
    "BATCH_DELIVERY_TIMEOUT": 120,  # core/mail.py waits longer for who has the turn
    "BATCH_SIZE": 20,  # at most 40 s of a worker while the server does not answer at all
    "LOG_LEVEL": 1,  # failures
    "MESSAGE_ID_ENABLED": True,
}
