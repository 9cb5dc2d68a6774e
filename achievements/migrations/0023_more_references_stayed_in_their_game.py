"""Look at the rows that were there before their references were held; nobody waits for it."""

from django.db import migrations

_VALIDATE = """
ALTER TABLE achievements_backfill VALIDATE CONSTRAINT a_backfill_and_its_achievement_have_one_game;
ALTER TABLE achievements_playerreport VALIDATE CONSTRAINT a_report_and_its_achievement_have_one_game;
ALTER TABLE achievements_playerreport VALIDATE CONSTRAINT a_report_and_its_game_have_one_studio;
ALTER TABLE achievements_revokedunlock VALIDATE CONSTRAINT a_revoked_unlock_and_its_achievement_have_one_game;
ALTER TABLE achievements_revokedunlock VALIDATE CONSTRAINT a_revoked_unlock_and_its_game_have_one_studio;
ALTER TABLE achievements_flaggedunlock VALIDATE CONSTRAINT a_flag_and_its_achievement_have_one_game;
ALTER TABLE achievements_flaggedunlock VALIDATE CONSTRAINT a_flag_and_its_game_have_one_studio;
"""


class Migration(migrations.Migration):
    dependencies = [("achievements", "0022_more_references_stay_in_their_game")]
    operations = [migrations.RunSQL(_VALIDATE, migrations.RunSQL.noop)]
