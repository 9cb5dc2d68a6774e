"""Faults made with real signals: `make faults` runs them shortly, `make faults FAULTS=full` at full length."""

import os

FULL = os.environ.get("FAULTS") == "full"
