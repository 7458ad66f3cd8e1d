"""What no Python program can do for less: `bare_loop.py SOURCE OUTPUT` reads, hashes, writes under the hashed name.

Each file is written beside its name and renamed; the disk is asked once, at the end.
"""

import ctypes
import hashlib
import os
import sys


def main() -> None:
    """Go through the tree, once."""
    source, output = sys.argv[1:]
    for folder, _, names in os.walk(source):
        place = output + folder[len(source) :]
        os.makedirs(place, exist_ok=True)
        for name in names:
            with open(f"{folder}/{name}", "rb") as stream:
                body = stream.read()
            stem, extension = os.path.splitext(name)
            file = f"{place}/{stem}-{hashlib.sha256(body).hexdigest()[:10]}{extension}"
            with open(f"{file}~", "wb") as stream:
                stream.write(body)
            os.rename(f"{file}~", file)
    handle = os.open(output, os.O_RDONLY)
    ctypes.CDLL(None).syncfs(handle)
    os.close(handle)


if __name__ == "__main__":
    main()
