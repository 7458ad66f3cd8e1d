"""The project: settings, URLs and the door to a server."""
