"""Which webhook or delivery a request is about."""

from typing import cast

from rest_framework.request import Request

from accounts.authentication import holder_of
from accounts.selectors import KeyHolder
from core.ids import parse_id
from core.refusals import NotFound
from webhooks import selectors
from webhooks.selectors import DeliveryInfo, EndpointInfo


def key_of(request: Request) -> KeyHolder:
    """Return the server key; a player token does not come this far."""
    return cast("KeyHolder", holder_of(request))


def webhook_of(request: Request, webhook_id: str) -> EndpointInfo:
    """Return the webhook that a path names, if the key may know it. Raises NotFound."""
    key, uuid = key_of(request), parse_id(webhook_id)
    info = None if uuid is None else selectors.endpoint(key.studio_id, uuid, game_id=key.game_id)
    if info is None:
        raise NotFound("There is no such webhook.")
    return info


def delivery_of(info: EndpointInfo, delivery_id: str) -> DeliveryInfo:
    """Return the delivery that a path names, with or without the `msg_` of its `webhook-id`. Raises NotFound."""
    uuid = parse_id(delivery_id.removeprefix("msg_"))
    found = None if uuid is None else selectors.delivery(info.id, uuid)
    if found is None:
        raise NotFound("There is no such delivery.")
    return found
