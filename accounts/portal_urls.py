"""Addresses of the portal's pages of studios, members, games, keys and the audit log."""

from django.urls import path

from accounts.portal import audit, games, home, joining, keys, members, persons, requests, review, studio

urlpatterns = [
    path("portal/", home.door, name="portal"),
    path("portal/new", home.new_studio, name="new-studio"),
    path("portal/<uuid:studio>/games/new", games.new, name="new-game"),
    path("portal/<uuid:studio>/games/<uuid:game>/", games.door, name="portal-game"),
    path("portal/<uuid:studio>/games/<uuid:game>/settings", games.settings, name="game-settings"),
    path("portal/<uuid:studio>/games/<uuid:game>/testers/add", games.add_tester, name="add-tester"),
    path("portal/<uuid:studio>/games/<uuid:game>/testers/remove", games.remove_tester, name="remove-tester"),
    path("portal/<uuid:studio>/games/<uuid:game>/put-away", games.put_away, name="put-game-away"),
    path("portal/<uuid:studio>/games/<uuid:game>/restore", games.restore, name="restore-game"),
    path("portal/<uuid:studio>/review", review.queue, name="review-queue"),
    path("portal/<uuid:studio>/review/decide", review.decide, name="decide-reviewed"),
    path("portal/<uuid:studio>/review/<slug:kind>/<uuid:flagged>", review.one, name="review-entry"),
    path("portal/<uuid:studio>/keys", keys.index, name="keys"),
    path("portal/<uuid:studio>/keys/new", keys.new, name="new-key"),
    path("portal/<uuid:studio>/keys/<uuid:key>", keys.one, name="key"),
    path("portal/<uuid:studio>/keys/<uuid:key>/rotate", keys.rotate, name="rotate-key"),
    path("portal/<uuid:studio>/keys/<uuid:key>/revoke", keys.revoke, name="revoke-key"),
    path("portal/<uuid:studio>/requests", requests.index, name="portal-requests"),
    path("portal/<uuid:studio>/requests.csv", requests.file, name="portal-requests-file"),
    path("portal/<uuid:studio>/requests/<int:call>", requests.one, name="portal-request"),
    path("portal/<uuid:studio>/audit", audit.audit_log, name="portal-audit"),
    path("portal/<uuid:studio>/audit.csv", audit.audit_file, name="portal-audit-file"),
    path("portal/<uuid:studio>/members", members.members_page, name="members"),
    path("portal/<uuid:studio>/members/<int:member>", members.member_page, name="member"),
    path("portal/<uuid:studio>/members/<int:member>/remove", members.remove_member, name="remove-member"),
    path(
        "portal/<uuid:studio>/invitations/<uuid:invitation>/withdraw",
        members.withdraw_invitation,
        name="withdraw-invitation",
    ),
    path("portal/<uuid:studio>/players/<uuid:player>/ban", persons.ban, name="ban-player"),
    path("portal/<uuid:studio>/players/<uuid:player>/exclude", persons.exclude, name="exclude-player"),
    path(
        "portal/<uuid:studio>/players/<uuid:player>/games/<uuid:game>/test",
        persons.test,
        name="player-tests",
    ),
    path("portal/<uuid:studio>/settings", studio.settings_page, name="studio-settings"),
    path("portal/<uuid:studio>/leave", studio.leave, name="leave-studio"),
    path("invitations/<str:token>", joining.invitation, name="invitation"),
]
