"""What names an achievement and a game names the achievement's own game, and its studio is the game's.

New rows are held from now on; the next migration looks at those that are there, while others write.
"""

from django.db import migrations

# Of a flagged unlock at the commit: before, its trigger has waited for who deletes the achievement, and says that the
# unlock is to be tried again.
_REFERENCES = """
ALTER TABLE achievements_achievement ADD CONSTRAINT one_game_per_achievement UNIQUE (id, game_id);
ALTER TABLE achievements_backfill ADD CONSTRAINT a_backfill_and_its_achievement_have_one_game
    FOREIGN KEY (achievement_id, game_id) REFERENCES achievements_achievement (id, game_id) NOT VALID;
ALTER TABLE achievements_playerreport
    ADD CONSTRAINT a_report_and_its_achievement_have_one_game
    FOREIGN KEY (achievement_id, game_id) REFERENCES achievements_achievement (id, game_id) NOT VALID,
    ADD CONSTRAINT a_report_and_its_game_have_one_studio
    FOREIGN KEY (game_id, studio_id) REFERENCES accounts_game (id, studio_id) NOT VALID;
ALTER TABLE achievements_revokedunlock
    ADD CONSTRAINT a_revoked_unlock_and_its_achievement_have_one_game
    FOREIGN KEY (achievement_id, game_id) REFERENCES achievements_achievement (id, game_id) NOT VALID,
    ADD CONSTRAINT a_revoked_unlock_and_its_game_have_one_studio
    FOREIGN KEY (game_id, studio_id) REFERENCES accounts_game (id, studio_id) NOT VALID;
ALTER TABLE achievements_flaggedunlock
    ADD CONSTRAINT a_flag_and_its_achievement_have_one_game
    FOREIGN KEY (achievement_id, game_id) REFERENCES achievements_achievement (id, game_id)
    DEFERRABLE INITIALLY DEFERRED NOT VALID,
    ADD CONSTRAINT a_flag_and_its_game_have_one_studio
    FOREIGN KEY (game_id, studio_id) REFERENCES accounts_game (id, studio_id)
    DEFERRABLE INITIALLY DEFERRED NOT VALID;
"""
_NO_REFERENCES = """
ALTER TABLE achievements_flaggedunlock
    DROP CONSTRAINT a_flag_and_its_game_have_one_studio, DROP CONSTRAINT a_flag_and_its_achievement_have_one_game;
ALTER TABLE achievements_revokedunlock
    DROP CONSTRAINT a_revoked_unlock_and_its_game_have_one_studio,
    DROP CONSTRAINT a_revoked_unlock_and_its_achievement_have_one_game;
ALTER TABLE achievements_playerreport
    DROP CONSTRAINT a_report_and_its_game_have_one_studio, DROP CONSTRAINT a_report_and_its_achievement_have_one_game;
ALTER TABLE achievements_backfill DROP CONSTRAINT a_backfill_and_its_achievement_have_one_game;
ALTER TABLE achievements_achievement DROP CONSTRAINT one_game_per_achievement;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("achievements", "0021_player_reports"),
        ("accounts", "0002_keys_stay_in_their_studio"),
    ]
    operations = [migrations.RunSQL(_REFERENCES, _NO_REFERENCES)]
