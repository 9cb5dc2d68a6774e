"""Static files as they are collected and served: without source maps, which nobody needs to use a page."""

from collections.abc import Iterable
from typing import Any, Final

from django.contrib.staticfiles.finders import AppDirectoriesFinder
from whitenoise.storage import CompressedManifestStaticFilesStorage

_MAPS: Final = "*.map"


class WithoutMaps(AppDirectoriesFinder):
    """Finds what packages bring."""

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterable[Any]:
        """List files."""
        return super().list([*(ignore_patterns or ()), _MAPS])

    def find(self, path: str, *args: Any, **named: Any) -> Any:
        """Find a file by its address."""
        return [] if path.endswith(_MAPS[1:]) else super().find(path, *args, **named)


class Collected(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """Files under names of their content; where one says where its source map is, that is left as it stands."""

    patterns = tuple(
        (names, tuple(rule for rule in rules if "sourceMappingURL" not in str(rule)))
        for names, rules in CompressedManifestStaticFilesStorage.patterns
    )
