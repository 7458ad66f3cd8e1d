"""Lifeboat: the crew of a station, who is on call, and a search."""
