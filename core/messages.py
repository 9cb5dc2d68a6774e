"""One-time messages of pages, kept in a cookie, or in the session where they are too long for one."""

from django.conf import settings
from django.contrib.messages.storage.cookie import CookieStorage
from django.contrib.messages.storage.fallback import FallbackStorage
from django.contrib.messages.storage.session import SessionStorage


class _Cookie(CookieStorage):
    """Django's, which has no setting for the cookie's name."""

    cookie_name = settings.MESSAGES_COOKIE


class Messages(FallbackStorage):
    """Where a page's messages wait for the next page."""

    storage_classes = (_Cookie, SessionStorage)
