"""Reference cases for stylesheets and scripts, and what judges a tool by them; the README here says how."""
