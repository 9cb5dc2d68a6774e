"""Addresses of the portal's pages of webhooks."""

from django.urls import path

from webhooks import portal

_LIST = "portal/<uuid:studio>/webhooks"
_HOOK = f"{_LIST}/<uuid:hook>"
_DELIVERY = f"{_HOOK}/deliveries/<uuid:uuid>"

urlpatterns = [
    path(_LIST, portal.webhooks, name="portal-webhooks"),
    path(f"{_LIST}/new", portal.new_webhook, name="new-webhook"),
    path(_HOOK, portal.webhook, name="portal-webhook"),
    path(f"{_HOOK}/switch", portal.switch, name="switch-webhook"),
    path(f"{_HOOK}/rotate", portal.rotate, name="rotate-webhook"),
    path(f"{_HOOK}/test", portal.send_test, name="test-webhook"),
    path(f"{_HOOK}/replay", portal.replay, name="replay-webhook"),
    path(f"{_HOOK}/delete", portal.delete, name="delete-webhook"),
    path(_DELIVERY, portal.delivery, name="portal-delivery"),
    path(f"{_DELIVERY}/redeliver", portal.redeliver, name="redeliver"),
]
