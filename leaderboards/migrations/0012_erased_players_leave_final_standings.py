"""A final score may become nobody's, since its player was erased: whoever does that says so (ADR 0047)."""

from django.db import migrations

_FUNCTION = """
CREATE OR REPLACE FUNCTION a_final_period_keeps_its_scores() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM leaderboards_period q
                WHERE q.state = 'final' AND q.id IN (SELECT DISTINCT period_id FROM changed)) {unless} THEN
        RAISE EXCEPTION 'the standings of a final period stay' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;
"""
_UNLESS = "AND (TG_OP <> 'UPDATE' OR coalesce(current_setting('laurel.erasing', true), '') <> 'on')"


class Migration(migrations.Migration):
    dependencies = [("leaderboards", "0011_flagged_scores_stay_in_their_studio")]
    operations = [migrations.RunSQL(_FUNCTION.format(unless=_UNLESS), _FUNCTION.format(unless=""))]
