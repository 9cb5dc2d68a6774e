"""The limit of webhooks that a studio may have."""

from django.utils.translation import gettext as _

from core.limits import Limit
from webhooks.models import Endpoint
from webhooks.services.endpoints import MOST


def limits(studio_id: int) -> list[Limit]:
    """Return it (STUDIO_LIMITS)."""
    return [Limit(_("Webhooks"), MOST, Endpoint.objects.filter(studio_id=studio_id, deleted_at=None).count())]
