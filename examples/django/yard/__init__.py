"""The project: settings, URLs, and how it is served."""
