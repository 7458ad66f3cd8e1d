"""Watch: when to compile again, and what the pages that look on have to do then.

The rooms: `folders` (where something may happen), `changes` (that it has), `difference` (what a new build means for a
page), `live` (what pages are told), `site` (who may ask for what), `server` (the loopback socket). None compiles.
"""
