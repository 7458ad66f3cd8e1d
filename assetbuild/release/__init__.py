"""What happens to a finished build: verified, packed, carried on, retained."""
