"""Build the bundles of `legacy` with webassets: `webassets_bundles.py PROJECT OUTPUT SCRATCH`.

Its folder of static files is that of the project, where a team without a bundler has it; OUTPUT lies inside it.
"""

import json
import logging
import sys
from pathlib import Path

from webassets import Bundle, Environment
from webassets.script import CommandLineEnvironment


def main() -> None:
    """Register and build."""
    project, output, scratch = (Path(each) for each in sys.argv[1:])
    environment = Environment(
        directory=str(project / "static"),
        url="/static",
        cache=str(scratch / "cache"),
        manifest=f"json:{scratch / 'manifest.json'}",
        url_expire=True,
        versions="hash",
    )
    (scratch / "cache").mkdir(parents=True, exist_ok=True)
    bundles = json.loads((project / "bundles.json").read_text())
    for kind, filters in (("css", "cssrewrite,rcssmin"), ("js", "rjsmin")):
        for name, files in bundles[kind].items():
            target = f"{output.name}/{name}.%(version)s.{kind}"
            environment.register(f"{name}_{kind}", Bundle(*files, filters=filters, output=target))
    CommandLineEnvironment(environment, logging.getLogger("webassets")).build(production=True)


if __name__ == "__main__":
    main()
