"""Every address of the `web` process."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

handler400 = "core.problems.bad_request"
handler403 = "core.problems.permission_denied"
handler404 = "core.problems.not_found"
handler500 = "core.problems.server_error"

# The hot addresses come first: Django tries them in order.
urlpatterns: list[URLPattern | URLResolver] = [
    path("api/v1/", include("achievements.urls")),
    path("admin/", admin.site.urls),
    path("", include("core.page_urls")),
]
