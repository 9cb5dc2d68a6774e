"""Laurel's settings. Every value that differs between installations comes from the environment."""

from config.settings.apps import *  # noqa: F403
from config.settings.data import *  # noqa: F403
from config.settings.logs import *  # noqa: F403
from config.settings.security import *  # noqa: F403
