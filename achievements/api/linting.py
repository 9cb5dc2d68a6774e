"""GET /games/{game_id}/achievements/lint."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.authentication import named_game
from achievements import linting
from achievements.linting import Finding
from achievements.selectors import linting as selectors
from core import clock
from core.endpoint import Endpoint
from core.refusals import Malformed

_EXAMPLE = {
    "stores": ["xbox", "google-play"],
    "findings": [
        {
            "rule": "description-too-long",
            "severity": "error",
            "detail": "A description has more than 100 characters (118 in fr): shorten it.",
            "stores": ["xbox"],
            "achievements": ["first-blood"],
        }
    ],
    "counts": {"error": 1, "warning": 0, "hint": 0},
}


class FindingOutput(serializers.Serializer[Any]):
    """Something to see to."""

    rule = serializers.CharField()
    severity = serializers.ChoiceField(
        linting.SEVERITIES,
        help_text="`error`: a store refuses it, or nobody can get it. `warning`: a guideline is against it.",
    )
    detail = serializers.CharField(help_text="What it is, and what to do.")
    stores = serializers.ListField(
        child=serializers.ChoiceField(list(linting.STORES)),
        help_text="Who asks for it; empty: it holds anywhere.",
    )
    achievements = serializers.ListField(
        child=serializers.CharField(), help_text="The keys that it is about; empty: the game as a whole."
    )


class LintCounts(serializers.Serializer[Any]):
    """How many of each."""

    error = serializers.IntegerField()
    warning = serializers.IntegerField()
    hint = serializers.IntegerField()


class LintOutput(serializers.Serializer[Any]):
    """What was found."""

    stores = serializers.ListField(child=serializers.ChoiceField(list(linting.STORES)))
    findings = FindingOutput(many=True)
    counts = LintCounts()


class LintView(Endpoint):
    """What a game's achievements lack."""

    scopes = {"GET": "definitions:read"}
    query = frozenset({"stores"})

    @extend_schema(
        operation_id="lint_achievements",
        summary="Check achievements against stores' guidelines",
        description=(
            "What hurts players anywhere, and what the stores ask for that the game goes to (chosen in the portal;"
            " all of them until then). Archived achievements are left out. What weighs most comes first."
        ),
        tags=["Definitions"],
        parameters=[
            OpenApiParameter(
                "stores",
                OpenApiTypes.STR,
                description=f"Other ones: some of {', '.join(linting.STORES)}, by commas.",
            )
        ],
        responses=LintOutput,
        examples=[OpenApiExample("A text that is too long", _EXAMPLE, response_only=True)],
    )
    def get(self, request: Request, game_id: str) -> Response:
        """Return what was found."""
        game = named_game(request, game_id)
        stores = _stores(request.GET.get("stores")) or selectors.stores_of(game.id)
        found = selectors.findings(game, stores=stores, at=clock.now())
        return Response(
            {
                "stores": stores,
                "findings": [_finding(one) for one in found],
                "counts": {name: sum(one.severity == name for one in found) for name in linting.SEVERITIES},
            }
        )


def _stores(text: str | None) -> tuple[str, ...]:
    """Read the stores that are asked for; none if it is not said. Raises Malformed."""
    asked = [] if text is None else text.split(",")
    unknown = next((one for one in asked if one not in linting.STORES), None)
    if unknown is not None:
        known = ", ".join(linting.STORES)
        raise Malformed(f"`stores` names {unknown[:40]!r}; it takes some of {known}, by commas.")
    return tuple(store for store in linting.STORES if store in asked)


def _finding(finding: Finding) -> dict[str, object]:
    return {
        "rule": finding.rule,
        "severity": finding.severity,
        "detail": finding.detail,
        "stores": finding.stores,
        "achievements": finding.keys,
    }
