"""Run commands one after another and print what they cost, as JSON: `python -I -S counted.py LOG COMMANDS`.

COMMANDS is a JSON list of argument lists; their output goes to LOG. The first that fails is the last. A small process
stands between the benchmark and what it measures: it becomes the parent of whatever a command leaves behind, so that
nothing escapes the count, and the largest process of the tree is not the benchmark's own.
"""

import ctypes
import json
import os
import resource
import sys
import time

_PR_SET_CHILD_SUBREAPER = 36  # prctl(2)


def main() -> None:
    """Run, wait for every descendant, print."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    log, commands = sys.argv[1], json.loads(sys.argv[2])
    to_log = [(os.POSIX_SPAWN_OPEN, 1, log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644), (os.POSIX_SPAWN_DUP2, 1, 2)]
    code, begun = 0, time.perf_counter()
    for command in commands:
        pid = os.posix_spawnp(command[0], command, os.environ, file_actions=to_log)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        if code:
            break
    wall_s = time.perf_counter() - begun
    while True:
        try:
            os.wait()
        except ChildProcessError:
            break
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    cost = {"wall_s": wall_s, "cpu_s": used.ru_utime + used.ru_stime, "peak_mb": used.ru_maxrss * 1024 / 1e6}
    print(json.dumps({"code": code, **cost}))


if __name__ == "__main__":
    main()
