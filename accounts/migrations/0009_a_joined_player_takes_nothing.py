"""A player who is gone, since his ids name another one, is given nothing by who looked him up a moment before."""

from django.db import migrations

# Asked where a player's first row of a kind is inserted, so that later ones cost nothing (ADR 0031). Who writes holds one
# of 64 locks in share until commit, who joins a player holds that player's lock alone (accounts/linking.py): neither can
# pass the other, and whoever comes second sees what the first did. 40001 lets the write be tried again, for the player
# whom the id names then.
_KEEP = """
CREATE FUNCTION accounts_require_present(wanted bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(19532, (wanted % 64)::integer);
    IF EXISTS (SELECT FROM accounts_joinedplayer WHERE player_id = wanted) THEN
        RAISE EXCEPTION 'this player was joined to another' USING ERRCODE = 'serialization_failure';
    END IF;
END $$;
CREATE FUNCTION a_joined_player_takes_nothing() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(19532, (NEW.player_id % 64)::integer);
    IF EXISTS (SELECT FROM accounts_joinedplayer WHERE player_id = NEW.player_id) THEN
        RAISE EXCEPTION 'this player was joined to another' USING ERRCODE = 'serialization_failure';
    END IF;
    RETURN NULL;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0008_link_codes")]
    operations = [
        migrations.RunSQL(
            _KEEP,
            "DROP FUNCTION a_joined_player_takes_nothing(); DROP FUNCTION accounts_require_present(bigint);",
        )
    ]
