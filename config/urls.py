"""Every address of the `web` process."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from accounts.pages import sign_in
from core import operations
from core.description import SchemaView
from core.docs_page import DocsView
from social.api.root import RootView

handler400 = "core.problems.bad_request"
handler403 = "core.problems.permission_denied"
handler404 = "core.problems.not_found"
handler429 = "core.problems.too_many"  # asked for by allauth
handler500 = "core.problems.server_error"

# The hot addresses come first: Django tries them in order.
urlpatterns: list[URLPattern | URLResolver] = [
    path("api/v1/", include("achievements.urls")),
    path("api/v1/", include("leaderboards.urls")),
    path("api/v1/", include("stats.urls")),
    path("api/v1/", include("history.urls")),
    path("api/v1/", include("analytics.urls")),
    path("api/v1/", include("social.urls")),
    path("api/v1/", include("webhooks.urls")),
    path("api/v1/", include("care.urls")),
    path("api/v1/", include("accounts.urls")),
    path("api/v1", RootView.as_view()),
    path("api/v1/schema", SchemaView.as_view(), name="schema"),
    path("api/v1/docs", DocsView.as_view(url_name="schema"), name="docs"),
    path("livez", operations.livez),
    path("readyz", operations.readyz),
    path("metrics", operations.metrics),
    path("admin/login/", sign_in),
    path("admin/", admin.site.urls),
    path("", include("core.page_urls")),
    path("", include("accounts.page_urls")),
    path("", include("accounts.portal_urls")),
    path("", include("achievements.page_urls")),
    path("", include("achievements.portal_urls")),
    path("", include("leaderboards.page_urls")),
    path("", include("leaderboards.portal_urls")),
    path("", include("analytics.portal_urls")),
    path("", include("stats.portal_urls")),
    path("", include("webhooks.portal_urls")),
    path("", include("care.portal_urls")),
    path("", include("care.page_urls")),
    path("account/", include("allauth.urls")),
    path("", include("history.page_urls")),
    path("", include("social.page_urls")),
]
