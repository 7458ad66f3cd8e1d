"""What a text refers to, by language: offsets of the original text and decoded values; resolves nothing."""
