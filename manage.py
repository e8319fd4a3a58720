#!/usr/bin/env python3
"""Django's entry point; the `forgelab` command is the same with shorter names."""

import os
import sys

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "forgelab.settings")
    execute_from_command_line(sys.argv)
