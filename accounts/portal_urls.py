"""Addresses of the portal's pages of studios, members, games, keys and the audit log."""

from django.urls import path

from accounts.portal import home, joining, members, studio

urlpatterns = [
    path("portal/", home.door, name="portal"),
    path("portal/new", home.new_studio, name="new-studio"),
    path("portal/<uuid:studio>/", home.home, name="portal-home"),
    path("portal/<uuid:studio>/members", members.members_page, name="members"),
    path("portal/<uuid:studio>/members/<int:member>", members.member_page, name="member"),
    path("portal/<uuid:studio>/members/<int:member>/remove", members.remove_member, name="remove-member"),
    path(
        "portal/<uuid:studio>/invitations/<uuid:invitation>/withdraw",
        members.withdraw_invitation,
        name="withdraw-invitation",
    ),
    path("portal/<uuid:studio>/settings", studio.settings_page, name="studio-settings"),
    path("portal/<uuid:studio>/leave", studio.leave, name="leave-studio"),
    path("invitations/<str:token>", joining.invitation, name="invitation"),
]
