"""What runs in a process of its own: the peers' programs, and the one that counts what they cost."""
