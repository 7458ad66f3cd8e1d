"""Set Django up and call its commands: `collectstatic.py SETTINGS COMMAND…`; SETTINGS is a JSON file."""

import json
import sys
from pathlib import Path

import django
from django.conf import settings
from django.core.management import call_command

OPTIONS = {"collectstatic": {"interactive": False, "verbosity": 0}, "compress": {"force": True, "verbosity": 0}}


def main() -> None:
    """Call each command."""
    settings.configure(**json.loads(Path(sys.argv[1]).read_text()))
    django.setup()
    for name in sys.argv[2:]:
        call_command(name, **OPTIONS[name])


if __name__ == "__main__":
    main()
