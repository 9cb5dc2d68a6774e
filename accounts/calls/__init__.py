"""The request log: which calls of the API a studio was refused (docs/adr/0041-the-request-log.md)."""
