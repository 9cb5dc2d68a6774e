"""What a player's settings take."""

from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any
from zoneinfo import TZPATH, available_timezones

from django import forms
from django.conf.global_settings import LANGUAGES
from django.utils.translation import get_language_info

from accounts.models import Visibility
from accounts.selectors import PlayerInfo
from core.forms import PortalForm
from core.languages import normalise

LONGEST_NAME = 128  # as the API's PUT /players
_SEEN_BY = [
    (Visibility.PUBLIC.value, "Anybody"),
    (Visibility.FRIENDS.value, "Friends"),
    (Visibility.PRIVATE.value, "Only me"),
]
_ACCEPT = {"accept": "image/png,image/jpeg,image/webp"}


class ProfileForm(PortalForm):
    """How a player is shown, and how texts and days are to him."""

    prefix = "profile"
    display_name = forms.CharField(
        label="Name",
        max_length=LONGEST_NAME,
        required=False,
        help_text="What others read on boards and in their feeds. It need not be your real one.",
        widget=forms.TextInput(attrs={"autocomplete": "nickname"}),
    )
    language = forms.ChoiceField(
        label="Language of achievements",
        required=False,
        help_text="Where a game has texts in it. These pages speak English.",
    )
    region = forms.ChoiceField(
        label="Region",
        required=False,
        help_text="Boards of a region show you there. Your games say which regions there are.",
    )
    time_zone = forms.ChoiceField(
        label="Time zone",
        help_text="What a day is in your history, and how times are written; with UTC as your browser’s clock.",
    )

    def __init__(self, *args: object, player: PlayerInfo, regions: Iterable[str]) -> None:
        """Show what a player has, and offer what he may choose."""
        initial = {name: getattr(player, name) for name in self.base_fields}
        super().__init__(*args, initial=initial)
        self._offer("language", [("", "As each game writes them"), *_with(_languages(), player.language)])
        self._offer(
            "region", [("", "None"), *((one, one) for one in sorted({*regions, player.region} - {""}))]
        )
        self._offer("time_zone", _with(_zones(), player.time_zone))

    def _offer(self, name: str, choices: list[tuple[str, str]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices


class PrivacyForm(PortalForm):
    """Who sees what of a player."""

    prefix = "privacy"
    visibility = forms.ChoiceField(
        label="Profile", choices=_SEEN_BY, help_text="Your page, your name on boards, whether you are found."
    )
    games_visibility = forms.ChoiceField(
        label="Games and achievements",
        choices=_SEEN_BY,
        help_text="Which games you play and what you unlocked.",
    )
    feed_visibility = forms.ChoiceField(
        label="News", choices=_SEEN_BY, help_text="What you unlock, in the feeds of your friends."
    )
    presence_visibility = forms.ChoiceField(
        label="Presence", choices=_SEEN_BY, help_text="Whether you are there, and what you play just now."
    )

    def __init__(self, *args: object, player: PlayerInfo) -> None:
        """Show what a player chose."""
        super().__init__(*args, initial={name: getattr(player, name) for name in self.base_fields})


class PictureForm(PortalForm):
    """A picture of a player."""

    prefix = "picture"
    file = forms.FileField(
        label="Picture",
        help_text="PNG, JPEG or WebP, up to 512 KiB and 1024 × 1024 pixels.",
        widget=forms.FileInput(attrs=_ACCEPT),
        error_messages={"required": "Choose a picture.", "empty": "The file is empty."},
    )


class LinkForm(PortalForm):
    """A code that a game showed."""

    prefix = "link"
    code = forms.CharField(
        label="Code",
        max_length=32,
        help_text="Eight letters and digits, good for ten minutes.",
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "spellcheck": "false", "placeholder": "7K3M-Q9TX"}
        ),
    )


@cache
def _languages() -> list[tuple[str, str]]:
    """Return the languages that are offered, by their tags, called as those who speak them do."""
    named = {normalise(code): get_language_info(code)["name_local"] for code, _ in LANGUAGES}
    return sorted(
        ((tag, name[:1].upper() + name[1:]) for tag, name in named.items()), key=lambda one: one[1].casefold()
    )


@cache
def _zones() -> list[tuple[str, str]]:
    """Return the time zones that are offered, each once: by the place that it is called after today, and UTC."""
    known = available_timezones()
    places = sorted(
        known & _places() or (name for name in known if "/" in name and not name.startswith("Etc/"))
    )
    return [("UTC", "UTC"), *((name, name.replace("_", " ").replace("/", " / ")) for name in places)]


def _places() -> set[str]:
    """Return the zones' names that tz offers to people; older spellings are missing. Empty where its table is.

    Source: tz's zone.tab, "intended as an aid for users, to help them select time zones".
    """
    folders: list[Any] = [Path(folder) for folder in TZPATH]
    with suppress(ModuleNotFoundError):
        folders.append(files("tzdata") / "zoneinfo")  # where the system has none
    table = next((one for folder in folders if (one := folder / "zone.tab").is_file()), None)
    lines = table.read_text(encoding="utf-8").splitlines() if table else []
    return {line.split("\t")[2] for line in lines if line and not line.startswith("#")}


def _with(choices: list[tuple[str, str]], value: str) -> list[tuple[str, str]]:
    """Return choices with what is set already, which a game may have said in another way."""
    return choices if not value or value in dict(choices) else [(value, value), *choices]
