"""Who is a user by now was made by an operator, who vouched for the address: nobody has to prove it to sign in."""

from django.db import migrations

# Addresses are compared in lower case from now on; no two of them differ in nothing else (one_user_per_email_in_any_case).
_LOWER = "UPDATE accounts_user SET email = lower(email) WHERE email <> lower(email)"
_VOUCH = """
INSERT INTO account_emailaddress (user_id, email, verified, "primary")
SELECT id, email, true, true FROM accounts_user u
 WHERE email <> '' AND NOT EXISTS (SELECT FROM account_emailaddress WHERE user_id = u.id)
    ON CONFLICT DO NOTHING
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0010_what_a_joined_player_was_called"),
        ("account", "0009_emailaddress_unique_primary_email"),
    ]
    operations = [
        migrations.RunSQL(_LOWER, reverse_sql=migrations.RunSQL.noop),
        migrations.RunSQL(_VOUCH, reverse_sql=migrations.RunSQL.noop),
    ]
