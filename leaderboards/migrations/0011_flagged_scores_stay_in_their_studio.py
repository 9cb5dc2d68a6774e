"""A flagged score of another studio's board can't be stored, nor one of a player who was joined to another."""

from django.db import migrations

_GUARDS = """
ALTER TABLE leaderboards_flaggedscore ADD CONSTRAINT a_flagged_score_and_its_board_have_one_studio
    FOREIGN KEY (leaderboard_id, studio_id) REFERENCES leaderboards_leaderboard (id, studio_id);
CREATE TRIGGER a_joined_player_takes_nothing AFTER INSERT ON leaderboards_flaggedscore
    FOR EACH ROW EXECUTE FUNCTION a_joined_player_takes_nothing();
"""
_NO_GUARDS = """
DROP TRIGGER a_joined_player_takes_nothing ON leaderboards_flaggedscore;
ALTER TABLE leaderboards_flaggedscore DROP CONSTRAINT a_flagged_score_and_its_board_have_one_studio;
"""


class Migration(migrations.Migration):
    dependencies = [("leaderboards", "0010_flagged_scores")]
    operations = [migrations.RunSQL(_GUARDS, _NO_GUARDS)]
