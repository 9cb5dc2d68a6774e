"""Composite foreign keys: a reference across games or studios can't be stored; and the unlock's key by its name."""

from django.db import migrations

# What a foreign key would hold, asked once a statement instead of once a row (docs/adr/0008-references-of-unlocks.md).
# Who unlocks locks the catalogue's row in share, who deletes an achievement locks it alone: neither can pass the other,
# and each asks again behind the lock. 40001 lets the unlock be tried again, against the catalogue as it is then.
_UNLOCKS = """
CREATE FUNCTION an_unlock_has_its_achievement() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM achievements_catalogue WHERE game_id IN (SELECT game_id FROM added) ORDER BY game_id FOR KEY SHARE;
    IF EXISTS (SELECT FROM added LEFT JOIN achievements_achievement a
                   ON a.id = added.achievement_id AND a.game_id = added.game_id AND a.studio_id = added.studio_id
                WHERE a.id IS NULL) THEN
        RAISE EXCEPTION 'an unlock and its achievement have one game' USING ERRCODE = 'serialization_failure';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER an_unlock_and_its_achievement_have_one_game AFTER INSERT ON achievements_unlock
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION an_unlock_has_its_achievement();
CREATE TRIGGER a_changed_unlock_and_its_achievement_have_one_game AFTER UPDATE ON achievements_unlock
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION an_unlock_has_its_achievement();

CREATE FUNCTION an_achievement_has_no_unlock() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM achievements_catalogue WHERE game_id = OLD.game_id FOR UPDATE;
    IF EXISTS (SELECT FROM achievements_unlock WHERE achievement_id = OLD.id) THEN
        RAISE EXCEPTION 'an achievement that players hold stays' USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER an_achievement_that_players_hold_stays BEFORE DELETE ON achievements_achievement
    FOR EACH ROW EXECUTE FUNCTION an_achievement_has_no_unlock();
CREATE TRIGGER an_achievement_that_players_hold_stays_in_its_game BEFORE UPDATE ON achievements_achievement
    FOR EACH ROW WHEN ((OLD.id, OLD.game_id, OLD.studio_id) IS DISTINCT FROM (NEW.id, NEW.game_id, NEW.studio_id))
    EXECUTE FUNCTION an_achievement_has_no_unlock();
"""
_NO_UNLOCKS = """
DROP TRIGGER an_achievement_that_players_hold_stays_in_its_game ON achievements_achievement;
DROP TRIGGER an_achievement_that_players_hold_stays ON achievements_achievement;
DROP TRIGGER a_changed_unlock_and_its_achievement_have_one_game ON achievements_unlock;
DROP TRIGGER an_unlock_and_its_achievement_have_one_game ON achievements_unlock;
DROP FUNCTION an_achievement_has_no_unlock();
DROP FUNCTION an_unlock_has_its_achievement();
"""


class Migration(migrations.Migration):
    dependencies = [("achievements", "0001_initial"), ("accounts", "0002_keys_stay_in_their_studio")]
    operations = [
        migrations.RunSQL(
            "ALTER TABLE achievements_achievement ADD CONSTRAINT an_achievement_and_its_game_have_one_studio"
            " FOREIGN KEY (game_id, studio_id) REFERENCES accounts_game (id, studio_id)",
            "ALTER TABLE achievements_achievement DROP CONSTRAINT an_achievement_and_its_game_have_one_studio",
        ),
        migrations.RunSQL(_UNLOCKS, _NO_UNLOCKS),
        migrations.RunSQL(
            "ALTER TABLE achievements_unlock RENAME CONSTRAINT achievements_unlock_pkey TO one_unlock_per_player",
            "ALTER TABLE achievements_unlock RENAME CONSTRAINT one_unlock_per_player TO achievements_unlock_pkey",
        ),
    ]
