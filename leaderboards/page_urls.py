"""Addresses of the players' pages of boards."""

from django.urls import path

from leaderboards.pages import board, overview

urlpatterns = [
    path("leaderboards", overview.boards, name="boards"),
    path("leaderboards/global", board.global_board, name="global-board"),
    path("games/<uuid:game>/leaderboards/<path:board>", board.board_page, name="board-page"),
]
