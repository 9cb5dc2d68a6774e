"""Faults made with real signals. `make faults` runs them at full length (FAULTS=full), `make test` shortly."""

import os

FULL = os.environ.get("FAULTS") == "full"
