"""The compile cache: what was made once is not made again."""
