"""How pages name and explain roles."""

from django import template
from django.utils.functional import Promise

from accounts.words import ROLE_NAMES, ROLE_TEXTS

register = template.Library()


@register.filter
def role_name(role: str) -> Promise | str:
    """Return what a role is called."""
    return ROLE_NAMES.get(role, role)


@register.filter
def role_text(role: str) -> Promise | str:
    """Return what a role may do, in a sentence."""
    return ROLE_TEXTS.get(role, "")


@register.simple_tag
def all_roles() -> tuple[str, ...]:
    """Return the roles, from most to least."""
    return tuple(ROLE_NAMES)
