"""Indexes of beginnings: those of the unique constraint are in the database's order, in which no text is a range."""

from typing import Any, ClassVar

from django.contrib.postgres.indexes import OpClass
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models.functions import Lower


class Migration(migrations.Migration):
    """Add them while everybody goes on."""

    atomic = False
    dependencies: ClassVar[list[tuple[str, str]]] = [
        ("accounts", "0014_keys_are_rotated_and_say_when_they_were_used"),
    ]
    operations: ClassVar[list[Any]] = [
        AddIndexConcurrently(
            model_name="playeridentity",
            index=models.Index(
                fields=["studio", "external_id"],
                opclasses=["int8_ops", "text_pattern_ops"],
                include=["player"],
                name="players_by_beginning_of_id",
            ),
        ),
        AddIndexConcurrently(
            model_name="player",
            index=models.Index(
                OpClass(Lower("display_name"), name="text_pattern_ops"),
                name="players_by_beginning_of_name",
                condition=~models.Q(display_name=""),
            ),
        ),
    ]
