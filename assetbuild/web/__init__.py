"""The half that serves: it reads `manifest.json` and never compiles, writes or lists a folder."""
