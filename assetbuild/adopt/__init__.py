"""Moving in: what a project has, written down as our configuration, with what is left to do by hand.

`configuration` is the door. Definitions are read as texts: no line of the user's code runs, and no file of the project
is touched. Each tool has one module, whose `adopted(code, disk)` makes an `Adopted`; `write` is the only writer.
"""

TOOLS = ("webassets", "flask-assets", "compressor", "pipeline", "django", "vite", "sprockets")
"""What `init --from` takes: each is a module of this package, `flask-assets` that of webassets."""
