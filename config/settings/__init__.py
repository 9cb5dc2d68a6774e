"""Laurel's settings. Every value that differs between installations comes from the environment."""

from config.settings.admission import *
from config.settings.apps import *
from config.settings.beat import *
from config.settings.broker import *
from config.settings.data import *
from config.settings.limits import *
from config.settings.logs import *
from config.settings.metrics import *
from config.settings.people import *
from config.settings.rooms import *
from config.settings.security import *
from config.settings.starting import *
from config.settings.tracing import *
from config.settings.webhooks import *
