"""Where the records of a group are drawn and which lines join them; the template makes the SVG.

Records stand on a circle, strongly linked ones side by side, so that no label covers another and
the same group looks the same on every day.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from kindred.identity.grounds import Link, SourceRecord
from kindred.identity.link_tree import nearest, order_around, strongest_tree, weakest
from kindred.identity.wording import signed

# More records or lines than this are not legible; what is left out is counted beside the drawing.
MOST_NODES = 40
MOST_LINES = 250
LABEL_ROOM = 118
LABEL_AWAY = 26.0
COLOURS = (
    "#2f5d9b", "#b3541e", "#2e7d5b", "#7a3e9d", "#a67c00", "#a23b5e", "#33788c", "#5b6b2f",
    "#6b4f3a", "#4b4f8a", "#8a2f2f", "#4a7a2b",
)  # fmt: skip


@dataclass(frozen=True)
class Node:
    """A record as a disc: its number in the table, colour of its source, where its label stands."""

    number: int
    record_id: str
    source: str
    colour: str
    x: float
    y: float
    label_x: float
    label_y: float
    anchor: str
    turn: float


@dataclass(frozen=True)
class Line:
    """A link as a line; is_faint: the group would hang together as well without it."""

    x1: float
    y1: float
    x2: float
    y2: float
    kind: str
    width: float
    is_faint: bool
    is_weakest: bool
    title: str
    label: str = ""

    label_x: float = 0.0
    label_y: float = 0.0


@dataclass(frozen=True)
class Drawing:
    """Everything to draw, and how much there is that is not drawn."""

    width: float
    height: float
    nodes: tuple[Node, ...]
    lines: tuple[Line, ...]
    all_nodes: int
    all_lines: int
    sources: tuple[tuple[str, str], ...]
    titles: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class Part:
    """One group to draw: its records, its links, and records that must be seen."""

    title: str
    records: tuple[SourceRecord, ...]
    links: tuple[Link, ...]
    seen: tuple[str, ...] = ()


def draw(
    parts: Sequence[Part],
    numbers: dict[str, int],
    across: tuple[str, str, str] | None = None,
    most: int = MOST_NODES,
) -> Drawing:
    """Draw one group, or two side by side with the pair `across` (two records and a label).

    numbers: the number of every record in the table. Of a group of more than `most` records those
    nearest to the weakest link and to `seen` are drawn.
    """
    colours = _colours([record.source for part in parts for record in part.records])
    nodes: list[Node] = []
    lines: list[Line] = []
    all_lines = 0
    titles = []
    shift = 0.0
    height = 0.0
    for part in parts:
        tree = strongest_tree(part.links)
        weak = weakest(tree)
        chosen = _chosen(part, tree, weak, most)
        radius = max(95.0, 10.5 * len(chosen))
        side = 2 * (radius + LABEL_ROOM)
        placed = _around(part, tree, chosen, numbers, colours, shift + side / 2, side / 2, radius)
        at = {node.record_id: node for node in placed}
        pairs = [x for x in part.links if x.left in at and x.right in at and x.left != x.right]
        all_lines += len(part.links)
        lines += _lines(pairs, tree, weak, at, (shift + side / 2, side / 2))
        nodes += placed
        titles.append((part.title, shift + side / 2))
        shift += side
        height = max(height, side)
    places = {node.record_id: node for node in nodes}
    if across and across[0] in places and across[1] in places:
        one, two = places[across[0]], places[across[1]]
        lines.append(
            Line(
                one.x,
                one.y,
                two.x,
                two.y,
                "apart",
                2.0,
                False,
                False,
                across[2],
                across[2],
                (one.x + two.x) / 2,
                (one.y + two.y) / 2 - 7,
            )
        )
    return Drawing(
        round(shift, 1),
        round(height, 1),
        tuple(nodes),
        tuple(lines),
        sum(len(part.records) for part in parts),
        all_lines,
        tuple(sorted(colours.items())),
        tuple(titles) if len(parts) > 1 else (),
    )


def _colours(sources: Sequence[str]) -> dict[str, str]:
    return {source: COLOURS[i % len(COLOURS)] for i, source in enumerate(sorted(set(sources)))}


def _chosen(part: Part, tree: list[Link], weak: Link | None, most: int) -> set[str]:
    names = [record.record_id for record in part.records]
    if len(names) <= most:
        return set(names)
    starts = [*part.seen, *([weak.left, weak.right] if weak else [])]
    return nearest(tree, starts or names[:1], names, most)


def _around(
    part: Part,
    tree: list[Link],
    chosen: set[str],
    numbers: dict[str, int],
    colours: dict[str, str],
    middle_x: float,
    middle_y: float,
    radius: float,
) -> list[Node]:
    of = {record.record_id: record for record in part.records}
    order = order_around(tree, chosen, min(chosen, default=""))
    found = []
    for i, name in enumerate(order):
        # A lone record stands in the middle of its half, two stand side by side.
        angle = 2 * math.pi * i / len(order) - (math.pi if len(order) == 2 else math.pi / 2)
        cos, sin = math.cos(angle), math.sin(angle)
        reach = 0.0 if len(order) == 1 else radius
        is_left = cos < -1e-9
        turn = math.degrees(angle) + (180 if is_left else 0)
        found.append(
            Node(
                numbers[name],
                name,
                of[name].source,
                colours[of[name].source],
                round(middle_x + reach * cos, 1),
                round(middle_y + reach * sin, 1),
                round(middle_x + (reach + 20) * cos, 1),
                round(middle_y + (reach + 20) * sin, 1),
                "end" if is_left else "start",
                round((turn + 180) % 360 - 180, 1),
            )
        )
    return found


def _lines(
    links: list[Link],
    tree: list[Link],
    weak: Link | None,
    at: dict[str, Node],
    centre: tuple[float, float],
) -> list[Line]:
    """The faint lines first, so that the tree lies over them."""
    inside = {(x.left, x.right, x.rule) for x in tree}
    strong = [x for x in links if (x.left, x.right, x.rule) in inside]
    rest = [x for x in links if (x.left, x.right, x.rule) not in inside]
    rest = sorted(rest, key=lambda x: (-x.strength, x.left, x.right))
    rest = rest[: max(MOST_LINES - len(strong), 0)]
    return [_line(x, at, True, False, centre) for x in reversed(rest)] + [
        _line(x, at, False, x is weak, centre) for x in strong
    ]


def _line(
    link: Link,
    at: dict[str, Node],
    is_faint: bool,
    is_weakest: bool,
    centre: tuple[float, float],
) -> Line:
    one, two = at[link.left], at[link.right]
    width = 4.5 if link.weight is None else 1 + 4.5 * min(max(link.weight, 0.0), 20.0) / 20
    told = link.rule if link.weight is None else signed(link.weight)
    # Towards the middle of the circle, where no other label is; beside a line through it.
    middle_x, middle_y = (one.x + two.x) / 2, (one.y + two.y) / 2
    away = math.hypot(centre[0] - middle_x, centre[1] - middle_y)
    shift = LABEL_AWAY / away if away > LABEL_AWAY else 0.0
    return Line(
        one.x,
        one.y,
        two.x,
        two.y,
        link.kind,
        round(width, 1),
        is_faint,
        is_weakest,
        f"{one.number} and {two.number}: {told}",
        told if is_weakest else "",
        round(middle_x + shift * (centre[0] - middle_x), 1),
        round(middle_y + shift * (centre[1] - middle_y) + 5, 1),
    )
