"""Addresses of webhooks under /api/v1/."""

from django.urls import path

from webhooks.api.deliveries import DeliveriesView, DeliveryView, RedeliverRangeView, RedeliverView
from webhooks.api.endpoints import RotateSecretView, TestView, WebhooksView, WebhookView

urlpatterns = [
    path("webhooks", WebhooksView.as_view()),
    path("webhooks/<str:webhook_id>", WebhookView.as_view()),
    path("webhooks/<str:webhook_id>/test", TestView.as_view()),
    path("webhooks/<str:webhook_id>/rotate-secret", RotateSecretView.as_view()),
    path("webhooks/<str:webhook_id>/redeliver", RedeliverRangeView.as_view()),
    path("webhooks/<str:webhook_id>/deliveries", DeliveriesView.as_view()),
    path("webhooks/<str:webhook_id>/deliveries/<str:delivery_id>", DeliveryView.as_view()),
    path("webhooks/<str:webhook_id>/deliveries/<str:delivery_id>/redeliver", RedeliverView.as_view()),
]
