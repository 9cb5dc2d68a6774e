"""How operations describe themselves in the OpenAPI schema: their problems, credentials and examples."""

from typing import Any

from drf_spectacular.openapi import AutoSchema


class LaurelSchema(AutoSchema):
    """Adds to every operation what all operations share."""

    def get_operation_id(self) -> str:
        """Name the operation after its view."""
        return super().get_operation_id()


__all__ = ["Any", "LaurelSchema"]
