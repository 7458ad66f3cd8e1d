"""Components: dependencies first, cycles together, whatever the order of arrival."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from assetbuild.compiler.graph import components

Graph = dict[str, tuple[str, ...]]
names = st.sampled_from("abcdefgh")
graphs: st.SearchStrategy[Graph] = st.fixed_dictionaries(
    {name: st.lists(names, max_size=3).map(tuple) for name in "abcdefgh"}
)


def reaches(graph: Graph, start: str) -> set[str]:
    seen: set[str] = set()
    todo = list(graph[start])
    while todo:
        node = todo.pop()
        if node not in seen:
            seen.add(node)
            todo.extend(graph[node])
    return seen


@given(graphs)
def test_members_of_a_component_reach_each_other_and_nobody_else_does(graph: Graph) -> None:
    for members in components(graph):
        for node in graph:
            is_together = all(node == m or (m in reaches(graph, node) and node in reaches(graph, m)) for m in members)
            assert (node in members) == is_together


@given(graphs)
def test_a_component_comes_after_everything_it_needs(graph: Graph) -> None:
    place = {node: number for number, members in enumerate(components(graph)) for node in members}

    assert all(place[need] <= place[node] for node in graph for need in graph[node])


@given(graphs, st.randoms())
def test_order_of_arrival_does_not_show(graph: Graph, random) -> None:  # type: ignore[no-untyped-def]
    shuffled = list(graph)
    random.shuffle(shuffled)

    assert components(graph) == components({node: graph[node] for node in shuffled})


def test_a_chain_longer_than_the_stack_of_python_is_no_problem() -> None:
    graph = {f"{n:06d}": (f"{n + 1:06d}",) for n in range(50_000)} | {"050000": ()}

    assert 50_001 == len(components(graph))
