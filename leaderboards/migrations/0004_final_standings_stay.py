"""What is final stays: the database itself refuses every later write of a final period's scores."""

from django.db import migrations

# Asked once a statement, whatever the number of rows.
_FINAL = """
CREATE FUNCTION a_final_period_keeps_its_scores() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM leaderboards_period q
                WHERE q.state = 'final' AND q.id IN (SELECT DISTINCT period_id FROM changed)) THEN
        RAISE EXCEPTION 'the standings of a final period stay' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER no_score_comes_to_a_final_period AFTER INSERT ON leaderboards_score
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION a_final_period_keeps_its_scores();
CREATE TRIGGER no_score_of_a_final_period_changes AFTER UPDATE ON leaderboards_score
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION a_final_period_keeps_its_scores();
CREATE TRIGGER no_score_of_a_final_period_goes AFTER DELETE ON leaderboards_score
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION a_final_period_keeps_its_scores();
"""
_NOT_FINAL = """
DROP TRIGGER no_score_of_a_final_period_goes ON leaderboards_score;
DROP TRIGGER no_score_of_a_final_period_changes ON leaderboards_score;
DROP TRIGGER no_score_comes_to_a_final_period ON leaderboards_score;
DROP FUNCTION a_final_period_keeps_its_scores();
"""


class Migration(migrations.Migration):
    dependencies = [("leaderboards", "0003_sketches_of_large_boards")]
    operations = [migrations.RunSQL(_FINAL, _NOT_FINAL)]
