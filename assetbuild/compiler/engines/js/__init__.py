"""What the rooms of scripts share: writing references into a text, and minifying without changing what it means."""
