"""The benchmark of the compile: corpora, peers, rounds, figures. `bench/build.py` is its command."""
