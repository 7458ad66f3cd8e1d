"""The trees, their page, and their form in the admin."""
