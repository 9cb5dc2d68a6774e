"""Addresses of the pages that belong to no game."""

from django.urls import path

from core import pages

urlpatterns = [
    path("favicon.ico", pages.icon),
    path("theme", pages.set_theme, name="theme"),
    path("shortcuts", pages.set_shortcuts, name="shortcuts"),
    path("problems", pages.problems, name="problems"),
    path("problems/<slug:slug>", pages.problem, name="problem"),
]
