"""Addresses of a player's own pages about what he did."""

from django.urls import path

from history import pages

urlpatterns = [
    path("me/", pages.my_page, name="my-page"),
    path("me/fragment", pages.my_fragment, name="my-fragment"),
    path("me/recap/<int:year>", pages.recap, name="recap"),
    path("demo", pages.demo, name="demo"),
    path("demo/fragment", pages.demo_fragment, name="demo-fragment"),
]
