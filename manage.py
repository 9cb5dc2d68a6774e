#!/usr/bin/env python
"""Run a management command of Laurel: in the environment given, or in that of `make run` in VAR_DIR."""

import os
import sys

from django.core.management import execute_from_command_line

from config import direct, var_dir
from core.roomy import roomy

if __name__ == "__main__":
    var_dir.adopt_environment()
    direct.take_direct_way(sys.argv)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    os.environ.setdefault("LAUREL_PROCESS", "-".join(["laurel", *sys.argv[1:2]]))
    roomy(execute_from_command_line)(sys.argv)
