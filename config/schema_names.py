"""What the shapes of the API's description are called: names that a generated client's user would choose, too."""

from typing import Any, Final

_COMPONENTS: Final = "#/components/schemas/"
# Choices are named by their field, which says little where many shapes have one of that name.
_SPELLED: Final = {
    "BucketEnum": "TrendBucket",
    "ChangeEnum": "ImportedChange",
    "EventEnum": "SessionEvent",
    "EventsEnum": "WebhookEvent",
    "FormatEnum": "ScoreFormat",
    "OpEnum": "ProgressOperation",
    "OperatorEnum": "BoardOperator",
    "ResetEnum": "BoardReset",
    "SectionEnum": "ImportedSection",
    "SortEnum": "BoardSort",
    "SpanEnum": "PeriodSpan",
    "SpansEnum": "BoardSpan",
    "StatesEnum": "RedeliveredState",
    "StoresEnum": "Store",
    "TierEnum": "RarityTier",
    "TypeEnum": "AchievementType",
    "WindowEnum": "AnalyticsWindow",
}


def name_shapes(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Return the description with its shapes called anew, wherever they are referred to.

    Source: drf-spectacular, POSTPROCESSING_HOOKS.
    """
    shapes: dict[str, Any] = result["components"]["schemas"]
    names: dict[str, str] = {}
    for shape in shapes:
        name = _plain(shape)
        names[shape] = shape if name in shapes or name in names.values() else name
    result["components"]["schemas"] = {names[shape]: shapes[shape] for shape in shapes}
    renamed: dict[str, Any] = _renamed(
        result, {_COMPONENTS + old: _COMPONENTS + new for old, new in names.items()}
    )
    return renamed


def _plain(shape: str) -> str:
    if shape in _SPELLED:
        return _SPELLED[shape]
    if shape.endswith("Enum"):
        return shape.removesuffix("Enum").replace("OutputSta", "Sta")  # UnlockStatus, not UnlockOutputStatus
    return shape.removeprefix("Patched").removesuffix("Request")


def _renamed(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {
            key: names.get(inner, inner) if key == "$ref" else _renamed(inner, names)
            for key, inner in value.items()
        }
    return [_renamed(inner, names) for inner in value] if isinstance(value, list) else value
