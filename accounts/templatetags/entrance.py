"""What pages around signing in say of the instance that they are on."""

from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from django import template
from django.conf import settings

register = template.Library()


@register.simple_tag
def mail_folder() -> str:
    """Return the folder where mail lies instead of being sent; empty unless whoever asks sits at that very machine."""
    here = settings.DEMO or urlsplit(settings.PUBLIC_URL).hostname in settings.LOOPBACK_NAMES
    return str(settings.EMAIL_FILE_PATH) if settings.MAIL_IS_KEPT_HERE and here else ""


@register.simple_tag(takes_context=True)
def passkeys_elsewhere(context: dict[str, Any]) -> str:
    """Return the page's address under a name: browsers make no passkeys for a number. Empty if it has a name."""
    request = context["request"]
    place = urlsplit(str(request.build_absolute_uri()))
    try:
        ip_address(place.hostname or "")
    except ValueError:
        return ""
    port = f":{place.port}" if place.port else ""
    return place._replace(netloc=f"localhost{port}").geturl()


@register.simple_tag
def others_vouch() -> bool:
    """Say whether people can sign in by an account elsewhere."""
    return bool(settings.SOCIALACCOUNT_PROVIDERS)
