"""What the page of a player's settings shows."""

from typing import Any

from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.http import HttpRequest

from accounts import devices, player_accounts, selectors
from accounts.players_pages.forms import LinkForm, PictureForm, PrivacyForm, ProfileForm
from accounts.visitors import Visitor


def context(request: HttpRequest, visitor: Visitor, **bound: Any) -> dict[str, Any]:
    """Return the page's content; a form that was sent and refused is given by its name."""
    player = visitor.player
    forms = {
        "profile": ProfileForm(player=player, regions=regions(visitor)),
        "privacy": PrivacyForm(player=player),
        "picture": PictureForm(),
        "link": LinkForm(),
        **bound,
    }
    return {
        "visitor": visitor,
        "here": "settings",
        "default_theme": "dark",
        "forms": forms,
        "linked": player_accounts.linked_ids(player.id),
        "devices": devices.devices(request, visitor.user),
        "vouching": SocialAccount.objects.filter(user=visitor.user).count(),
        "others_vouch": bool(settings.SOCIALACCOUNT_PROVIDERS),
        "plays_only": not selectors.memberships(visitor.user.pk),
        "refused": next(iter(bound), ""),
    }


def regions(visitor: Visitor) -> set[str]:
    """Return the regions of the games whose studios know the player."""
    return player_accounts.regions_of(visitor.player.id)
