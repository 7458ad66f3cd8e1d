"""Strongly connected components: which nodes must be named together, and in which order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

__all__ = ["components"]


def components(graph: Mapping[str, Iterable[str]]) -> list[tuple[str, ...]]:
    """Return the strongly connected components of `graph`, dependencies first, each sorted.

    graph: node → the nodes that it needs; every node is a key. The order depends on the names alone.
    Tarjan's algorithm (1972), with a stack of our own: a chain of references may be longer than Python's.
    """
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    open_nodes: list[str] = []
    is_open: set[str] = set()
    found: list[tuple[str, ...]] = []
    for start in sorted(graph):
        if start in index:
            continue
        work = [(start, iter(sorted(graph[start])))]
        index[start] = low[start] = len(index)
        open_nodes.append(start)
        is_open.add(start)
        while work:
            node, needs = work[-1]
            for need in needs:
                if need not in index:
                    index[need] = low[need] = len(index)
                    open_nodes.append(need)
                    is_open.add(need)
                    work.append((need, iter(sorted(graph[need]))))
                    break
                if need in is_open:
                    low[node] = min(low[node], index[need])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    members: list[str] = []
                    while not members or members[-1] != node:
                        members.append(open_nodes.pop())
                        is_open.discard(members[-1])
                    found.append(tuple(sorted(members)))
    return found
