"""Faults made with real signals: `make faults` runs them shortly, `make faults FAULTS=full` at full length."""

import os

# For processes of which one may hang: thousands of requests each, on a machine that has other things to do.
ENDS_WITHIN_S = 600.0
FULL = os.environ.get("FAULTS") == "full"
