"""What the links of a group hang on: its strongest tree, its weakest link, the way between two."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from kindred.identity.grounds import Link


def strongest_tree(links: Iterable[Link]) -> list[Link]:
    """The links without which the group would hang together worse: a maximum spanning forest.

    Of links of one strength the first by name is taken; rules and stewards are stronger than any
    weight.
    """
    parent: dict[str, str] = {}

    def root(name: str) -> str:
        while parent.setdefault(name, name) != name:
            parent[name] = parent[parent[name]]
            name = parent[name]
        return name

    tree = []
    for link in sorted(links, key=lambda x: (-x.strength, x.left, x.right, x.rule)):
        one, two = root(link.left), root(link.right)
        if one != two:
            parent[one] = two
            tree.append(link)
    return tree


def weakest(tree: Sequence[Link]) -> Link | None:
    """The weakest weighed link of the tree; None where rules and stewards hold all together."""
    weighed = [link for link in tree if link.kind == "weighed"]
    return min(weighed, key=lambda x: (x.strength, x.left, x.right)) if weighed else None


def way(links: Iterable[Link], one: str, two: str) -> list[Link]:
    """The fewest links that lead from `one` to `two`, in order; empty where none do.

    Of several links between two records the strongest is taken.
    """
    neighbours: dict[str, dict[str, Link]] = {}
    for link in links:
        for here, there in ((link.left, link.right), (link.right, link.left)):
            known = neighbours.setdefault(here, {}).get(there)
            if known is None or link.strength > known.strength:
                neighbours[here][there] = link
    ways: dict[str, list[Link]] = {one: []}
    queue = [one]
    for here in queue:
        if here == two:
            break
        for there, link in neighbours.get(here, {}).items():
            if there not in ways:
                ways[there] = [*ways[here], link]
                queue.append(there)
    return ways.get(two, [])


def order_around(tree: Sequence[Link], names: Iterable[str], start: str) -> list[str]:
    """All `names` in an order that keeps what is strongly linked side by side.

    A walk through the tree from `start`, strongest links first; what it does not reach comes last.
    """
    neighbours: dict[str, list[Link]] = {}
    for link in tree:
        neighbours.setdefault(link.left, []).append(link)
        neighbours.setdefault(link.right, []).append(link)
    found: dict[str, None] = {}
    rest = sorted(names)
    for first in (start, *rest):
        stack = [first]
        while stack:
            here = stack.pop()
            if here in found:
                continue
            found[here] = None
            near = sorted(neighbours.get(here, []), key=lambda x: (x.strength, x.left, x.right))
            stack += [link.right if link.left == here else link.left for link in near]
    return [name for name in found if name in set(rest)]


def nearest(
    tree: Sequence[Link], starts: Sequence[str], names: Iterable[str], most: int
) -> set[str]:
    """At most `most` of `names`: `starts`, then those fewest tree links away from them."""
    neighbours: dict[str, list[str]] = {}
    for link in tree:
        neighbours.setdefault(link.left, []).append(link.right)
        neighbours.setdefault(link.right, []).append(link.left)
    known = sorted(names)
    queue = [*dict.fromkeys(starts)]
    seen = dict.fromkeys(queue)
    for here in queue:
        for there in sorted(neighbours.get(here, [])):
            if there not in seen:
                seen[there] = None
                queue.append(there)
    for name in known:
        seen.setdefault(name, None)
    inside = set(known)
    return set([name for name in seen if name in inside][:most])
