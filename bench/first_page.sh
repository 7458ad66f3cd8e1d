#!/bin/sh
# From `git clone` to the first compiled page: seconds, and bytes downloaded by pip and for the pinned tools.
# The pip cache and the tool folder are empty; the clone is local, so its own bytes are those of the packed repository.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export XDG_CACHE_HOME="$work/cache" ASSETBUILD_TOOLS="$work/tools" PIP_CACHE_DIR="$work/pip" PIP_DISABLE_PIP_VERSION_CHECK=1

seconds() { date +%s.%N; }
started=$(seconds)
git clone -q "file://$here" "$work/clone"
cloned=$(seconds)
cd "$work/clone"
# The README's first fenced block is the command.
command=$(awk '/^```sh$/ { inside = 1; count++; next } /^```$/ { inside = 0 } inside && count == 1' README.md)
sh -c "$command"
.venv/bin/python example_assets/page.py >"$work/index.html"
ended=$(seconds)

# What pip fetched is counted afterwards: not every source of packages passes through its cache.
.venv/bin/pip download -q -d "$work/wheels" '.[compile]' 2>/dev/null
pip_bytes=$(find "$work/wheels" -name '*.whl' ! -name 'assetbuild-*' -printf '%s\n' | awk '{ sum += $1 } END { print sum + 0 }')
tool_bytes=$(find "$work/tools" -type f -printf '%s\n' 2>/dev/null | awk '{ sum += $1 } END { print sum + 0 }')
git_bytes=$(du -sb .git/objects | cut -f1)
awk -v a="$started" -v b="$cloned" -v c="$ended" 'BEGIN { printf "clone %.1f s, install and compile and page %.1f s, together %.1f s\n", b - a, c - b, c - a }'
awk -v g="$git_bytes" -v p="$pip_bytes" -v t="$tool_bytes" 'BEGIN { printf "git %.1f MB, pip %.1f MB, tools %.1f MB (unpacked)\n", g / 1e6, p / 1e6, t / 1e6 }'
test -s "$work/index.html"
