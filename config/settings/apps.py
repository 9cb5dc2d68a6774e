"""What Laurel is made of: apps, middleware, templates, the HTTP API's defaults, static files."""

from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

from django.core.exceptions import ImproperlyConfigured

from config.settings.environment import (
    BASE_DIR,
    DEBUG,
    DEMO,
    PORT,
    S3_ENDPOINT,
    VAR_DIR,
    env,
    folder_or_bucket,
)

__all__ = [
    "ASGI_APPLICATION",
    "AUTH_USER_MODEL",
    "BACKUP_DATABASE_URL",
    "BACKUP_DIR",
    "BACKUP_KEEP_DAYS",
    "BASE_DIR",
    "DATABASE_URL",
    "DEBUG",
    "DEFAULT_AUTO_FIELD",
    "DEMO",
    "DEMO_PLAYER",
    "DEMO_STUDIO",
    "ERASURE_LEDGER_URL",
    "INSTALLED_APPS",
    "IN_PRODUCTION",
    "LANGUAGES",
    "LANGUAGE_CODE",
    "LIVE_URL",
    "LOCALE_PATHS",
    "LOOPBACK_NAMES",
    "MEDIA_STORE_URL",
    "MIDDLEWARE",
    "PORT",
    "PUBLIC_URL",
    "REST_FRAMEWORK",
    "ROOT_URLCONF",
    "SOCIAL_HOSTS",
    "SOCIAL_PROVIDERS",
    "SPECTACULAR_SETTINGS",
    "STATICFILES_DIRS",
    "STATICFILES_FINDERS",
    "STATIC_ROOT",
    "STATIC_URL",
    "STORAGES",
    "TEMPLATES",
    "TIME_ZONE",
    "USE_I18N",
    "USE_TZ",
    "VAR_DIR",
    "WSGI_APPLICATION",
]

# Where players and studios reach this instance, and where its live connections are taken.
PUBLIC_URL = env.str("PUBLIC_URL", default=f"http://127.0.0.1:{PORT}").rstrip("/")
LIVE_URL = env.str("LIVE_URL", default=f"http://127.0.0.1:{PORT + 1}").rstrip("/")

# A developer's machine has two names, and either may stand in the browser.
LOOPBACK_NAMES = ("127.0.0.1", "localhost")
# Whether others reach it: what is only a nuisance on one's own machine is needed there (core/starting.py).
IN_PRODUCTION = not DEBUG and urlsplit(PUBLIC_URL).hostname not in (*LOOPBACK_NAMES, "::1")

# Who else may vouch for somebody, as `github=client-id:secret,google=client-id:secret`. To sign in by a
# form, a browser must be allowed to be led there (form-action).
SOCIAL_PROVIDERS: dict[str, str] = env.dict("SOCIAL_SIGN_IN", default={})
SOCIAL_HOSTS = {
    "github": "https://github.com",
    "google": "https://accounts.google.com",
    "steam": "https://steamcommunity.com",
    "discord": "https://discord.com",
    "twitch": "https://id.twitch.tv",
    "epicgames": "https://www.epicgames.com",
    "gitlab": "https://gitlab.com",
    "microsoft": "https://login.microsoftonline.com",
    "openid_connect": "",
}
if unknown := SOCIAL_PROVIDERS.keys() - SOCIAL_HOSTS:
    raise ImproperlyConfigured(
        f"SOCIAL_SIGN_IN takes {', '.join(SOCIAL_HOSTS)}; not {', '.join(sorted(unknown))}."
    )

# What `manage.py demo` makes: its studio, and that studio's id for the player whose page is /demo.
DEMO_STUDIO = UUID("0198f2c4-6f1e-7000-8000-64656d6f0001")
DEMO_PLAYER = "demo"

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "channels",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.usersessions",
    *(
        "accounts.steam" if name == "steam" else f"allauth.socialaccount.providers.{name}"
        for name in SOCIAL_PROVIDERS
    ),
    "post_office",
    "core",
    "accounts",
    "stats",
    "achievements",
    "leaderboards",
    "social",
    "history",
    "analytics",
    "webhooks",
    "care",
    "config",
]
# Those of core.middleware that are named after a purpose are Django's, kept out of the API's way.
MIDDLEWARE = [
    "core.middleware.request_context",
    "accounts.calls.middleware.request_log",
    "core.public_pages.hot_pages",
    "django.middleware.security.SecurityMiddleware",
    "core.middleware.StaticFiles",
    "core.middleware.KeptByNobody",
    "core.middleware.Compressed",
    "core.middleware.Sessions",
    "core.middleware.OwnWrites",
    "core.middleware.Language",
    "core.middleware.Common",
    "core.middleware.Csrf",
    "core.middleware.SignedIn",
    "core.middleware.Messages",
    "core.middleware.FrameOptions",
    "core.middleware.ContentPolicy",
    "accounts.signing_in.Statuses",
    "core.middleware.Refusals",  # inside those that set headers: its pages are pages, too
    "allauth.account.middleware.AccountMiddleware",  # by this very name, or it refuses to start
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
ASGI_APPLICATION = "config.asgi.application"
AUTH_USER_MODEL = "accounts.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "core.pages.theme",
                "core.disk.shown",
                "accounts.visitors.shown",
                "accounts.signing_in.shown",
                "social.live_pages.shown",
            ]
        },
    }
]
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True

MEDIA_STORE_URL = folder_or_bucket("MEDIA_STORE_URL", default=VAR_DIR / "media")
# Where backups of `make run` go, and the copies of the ledger of erasures: outside what is restored.
BACKUP_DIR = env.str("BACKUP_DIR", default="")
# For how long any second can be restored; so long, and until the next base backup, backups hold people who are erased.
BACKUP_KEEP_DAYS = env.int("BACKUP_KEEP_DAYS", default=14)
# Where a base backup is taken from, as a role with REPLICATION, not through PgBouncer.
DATABASE_URL = env.str("DATABASE_URL", default="postgres:///laurel")
BACKUP_DATABASE_URL = env.str("BACKUP_DATABASE_URL", default="") or DATABASE_URL
ERASURE_LEDGER_URL = folder_or_bucket("ERASURE_LEDGER_URL", default=Path(BACKUP_DIR or VAR_DIR) / "erasures")
STATIC_URL = "/static/"
# Where an image of Laurel has them collected already, and nothing can be written, STATIC_ROOT names the place.
STATIC_ROOT = Path(env.str("STATIC_ROOT", default="") or VAR_DIR / "static")
STATICFILES_DIRS = [BASE_DIR / "static"]
STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder", "core.collected.WithoutMaps"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    # Uploaded pictures; the web process serves them, or a CDN in front of it (docs/adr/0037-icons.md).
    "media": {
        "BACKEND": "core.media.Bucket",
        "OPTIONS": {"url": MEDIA_STORE_URL, "endpoint": S3_ENDPOINT},
    }
    if MEDIA_STORE_URL.startswith("s3://")
    else {"BACKEND": "core.media.Folder", "OPTIONS": {"location": MEDIA_STORE_URL}},
    # Hashes of who was erased, for a restore (docs/operations/backups.md).
    "ledger": {
        "BACKEND": "core.media.Bucket",
        "OPTIONS": {
            "url": ERASURE_LEDGER_URL,
            "endpoint": S3_ENDPOINT,
            "content_type": "application/json",
        },
    }
    if ERASURE_LEDGER_URL.startswith("s3://")
    else {"BACKEND": "core.media.Folder", "OPTIONS": {"location": ERASURE_LEDGER_URL}},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "core.collected.Collected"
    },
}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.authentication.BearerAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["accounts.authentication.HasScope"],
    "DEFAULT_THROTTLE_CLASSES": ["accounts.throttling.Throttle"],
    "DEFAULT_PARSER_CLASSES": ["core.strict_json.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["core.rendering.OrjsonRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "core.rendering.JsonNegotiation",
    "DEFAULT_SCHEMA_CLASS": "core.schema.LaurelSchema",
    "EXCEPTION_HANDLER": "core.problems.handle",
    "URL_FORMAT_OVERRIDE": None,  # `format` is a parameter of some operations, which say what it takes
    "UNAUTHENTICATED_USER": None,
    "UNAUTHENTICATED_TOKEN": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Laurel",
    "DESCRIPTION": "Achievements, leaderboards and live notifications for games, self-hosted.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": [],
    "SERVE_AUTHENTICATION": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "ENUM_NAME_OVERRIDES": {
        "AchievementState": "achievements.rules.STATES",
        "DeliveryState": "webhooks.models.State",
        "PeriodState": "leaderboards.api.documents.PERIOD_STATES",
        "StatReportStatus": "stats.api.documents.REPORT_STATUSES",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "config.schema_names.name_shapes",
    ],
    "SCHEMA_PATH_PREFIX": r"/api/v1",
}
