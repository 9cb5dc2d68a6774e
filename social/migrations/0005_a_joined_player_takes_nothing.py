"""Nobody befriends, asks or blocks a player who was joined to another meanwhile (accounts, migration 0009)."""

from django.db import migrations

# A friendship has a row each way.
_GUARD = """
CREATE TRIGGER a_joined_player_takes_nothing AFTER INSERT ON social_friendship
    FOR EACH ROW EXECUTE FUNCTION a_joined_player_takes_nothing();

CREATE FUNCTION a_joined_player_is_asked_nothing() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM accounts_require_present(NEW.sender_id), accounts_require_present(NEW.receiver_id);
    RETURN NULL;
END $$;
CREATE TRIGGER a_joined_player_is_asked_nothing AFTER INSERT ON social_friendrequest
    FOR EACH ROW EXECUTE FUNCTION a_joined_player_is_asked_nothing();

CREATE FUNCTION a_joined_player_is_not_blocked() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM accounts_require_present(NEW.player_id), accounts_require_present(NEW.blocked_id);
    RETURN NULL;
END $$;
CREATE TRIGGER a_joined_player_is_not_blocked AFTER INSERT ON social_block
    FOR EACH ROW EXECUTE FUNCTION a_joined_player_is_not_blocked();
"""
_LIFT = """
DROP TRIGGER a_joined_player_is_not_blocked ON social_block;
DROP FUNCTION a_joined_player_is_not_blocked();
DROP TRIGGER a_joined_player_is_asked_nothing ON social_friendrequest;
DROP FUNCTION a_joined_player_is_asked_nothing();
DROP TRIGGER a_joined_player_takes_nothing ON social_friendship;
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0009_a_joined_player_takes_nothing"), ("social", "0004_told_progress")]
    operations = [migrations.RunSQL(_GUARD, _LIFT)]
