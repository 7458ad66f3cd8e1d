"""Looking at what was made: `check`, `why`, `diff`, `report` come with their issues. May use compiler and web."""
