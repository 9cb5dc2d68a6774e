"""The limits of files of definitions."""

from django.utils.translation import gettext as _

from achievements.api.imports import LARGEST_IMPORT
from achievements.formats.document import MAX_ACHIEVEMENTS
from core.limits import Limit


def limits(studio_id: int) -> list[Limit]:
    """Return them: they hold for each file (STUDIO_LIMITS)."""
    return [
        Limit(_("File that is imported"), LARGEST_IMPORT // (1024 * 1024), unit="MiB"),
        Limit(_("Achievements in one file"), MAX_ACHIEVEMENTS),
    ]
