"""Looking at what was made, and at what uses it: `check`. May use compiler and web."""
