"""A flagged unlock of another game's achievement can't be stored, nor one of a player who was joined to another."""

from django.db import migrations

_GUARDS = """
CREATE TRIGGER a_flagged_unlock_and_its_achievement_have_one_game AFTER INSERT ON achievements_flaggedunlock
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION an_unlock_has_its_achievement();
CREATE TRIGGER a_joined_player_takes_nothing AFTER INSERT ON achievements_flaggedunlock
    FOR EACH ROW EXECUTE FUNCTION a_joined_player_takes_nothing();
"""
_NO_GUARDS = """
DROP TRIGGER a_joined_player_takes_nothing ON achievements_flaggedunlock;
DROP TRIGGER a_flagged_unlock_and_its_achievement_have_one_game ON achievements_flaggedunlock;
"""


class Migration(migrations.Migration):
    dependencies = [("achievements", "0019_plausibility")]
    operations = [migrations.RunSQL(_GUARDS, _NO_GUARDS)]
