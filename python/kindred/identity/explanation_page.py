"""The explanation as one HTML file for people who are no engineers; it can be mailed.

Without values it holds ids, counts, weights and dates, and no name, address or date of anybody.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kindred.errors import KindredError
from kindred.identity.cluster_drawing import Drawing, Part, draw
from kindred.identity.explanation import Explanation
from kindred.identity.grounds import Group, Link
from kindred.identity.link_tree import strongest_tree, weakest
from kindred.identity.pipeline import entity_named
from kindred.identity.wording import (
    MINUS,
    decided,
    finding,
    happened,
    odds,
    points,
    reason,
    signed,
    starting_point,
    strength,
)
from kindred.pages import write_page

MOST_DETAILS = 40
MOST_RECORDS = 400
LONGEST_VALUE = 120
LONGEST_LINE = 600
OVERRIDES = "seeds/stewardship/identity_overrides.csv"


@dataclass(frozen=True)
class Step:
    """One bar of a waterfall: what it says, its figure, and where it begins and ends (percent)."""

    words: str
    detail: str
    figure: str
    start: float
    width: float
    side: str


@dataclass(frozen=True)
class Waterfall:
    """The bars from the starting odds to the total; line: where the threshold stands (percent)."""

    title: str
    steps: tuple[Step, ...]
    total: str
    odds: str
    total_start: float
    total_width: float
    total_side: str
    threshold: str
    line: float
    zero: float
    silent: tuple[str, ...]
    model: str


def refuse_name(path: Path) -> None:
    """KindredError where no page can have that name."""
    if path.suffix.lower() != ".html" or path.is_dir():
        what = "is a folder" if path.is_dir() else "does not end in .html"
        raise KindredError(f"{path} {what}.", "name a file like why.html.")


def write(found: Explanation, path: Path) -> None:
    """Write the page; `path` ends in .html."""
    refuse_name(path)
    try:
        write_page(path, "explanation.html", **_content(found))
    except OSError as error:
        raise KindredError(
            f"{path} cannot be written.", "name a file in a folder that you may write to."
        ) from error


def _content(found: Explanation) -> dict[str, Any]:
    numbers = {
        record.record_id: i
        for i, record in enumerate((r for group in found.groups for r in group.records), start=1)
    }
    links = [link for group in found.groups for link in group.links]
    told = _told_first(found)
    rest = [link for link in links if link.kind == "weighed" and link not in told]
    return {
        "found": found,
        "noun": found.groups[0].noun,
        "title": _title(found),
        "verdict": _verdict(found),
        "reasons": found.apart.reasons if found.apart else (),
        "tiles": _tiles(found),
        "has_steward": any(link.kind == "steward" for link in links),
        "numbers": numbers,
        "first": [_waterfall(link, found, numbers) for link in told if link.kind == "weighed"],
        "rest": [_waterfall(link, found, numbers) for link in rest[:MOST_DETAILS]],
        "rest_count": len(rest),
        "certain": [link for link in links if link.kind != "weighed"],
        "most": MOST_DETAILS,
        "chain": found.chain if len(found.chain) > 1 else (),
        "reason": reason,
        "drawing": _drawing(found, numbers),
        "records": _records(found, numbers),
        "record_count": len(numbers),
        "values": sorted(
            {name for g in found.groups for r in g.records for name in r.values},
            key=entity_named(found.groups[0].entity).inputs.index,
        ),
        "history": [
            (group.id, [(c.generation, c.day, happened(c)) for c in group.changes])
            for group in found.groups
        ],
        "decisions": [
            (decided(decision), decision.author, decision.reason)
            for decision in dict.fromkeys(d for g in found.groups for d in g.decisions)
        ],
        "mend": _mend(found),
        "overrides": OVERRIDES,
    }


def _title(found: Explanation) -> str:
    noun = found.groups[0].noun
    if found.apart is not None:
        return f"Why are these two records not one {noun}?"
    if found.pair is not None:
        return f"Why are these two records one {noun}?"
    return f"Why are these records one {noun}?"


def _told_first(found: Explanation) -> list[Link]:
    """The links that the question is about: those of the pair, or the weakest of the group."""
    if found.apart is not None:
        best = found.apart.best
        pair = [found.apart.pair] if found.apart.pair else []
        return pair + ([best] if best is not None and best not in pair else [])
    if found.pair is not None:
        direct = [x for x in found.groups[0].links if x.ends == frozenset(found.pair)]
        return direct or list(found.chain)
    weak = weakest(strongest_tree(found.groups[0].links))
    return [weak] if weak else []


def _verdict(found: Explanation) -> tuple[str, str]:
    """Which way it went, and one sentence that says so."""
    group = found.groups[0]
    noun = group.noun
    if found.apart is not None:
        return "no", f"No: they are taken to be two different {_many(noun)}."
    if not group.records:
        return "gone", f"{group.asked} is retired: all its records are gone from the sources."
    if found.pair is not None:
        direct = [link for link in group.links if link.ends == frozenset(found.pair)]
        sure = [link for link in direct if link.kind != "weighed"]
        if sure:
            return "yes", f"Yes: both are one {noun}; {reason(sure[0])}."
        if direct:
            return "yes", (
                f"Yes: both are taken to be one {noun}, because their details agree far better "
                f"than chance would make them: {odds(direct[0].weight or 0.0)}."
            )
        return "yes", (
            f"Yes: both are taken to be one {noun}, though nothing joins them directly; "
            f"{len(found.chain)} links lead from one to the other."
        )
    count = len(group.records)
    if count == 1:
        return "yes", f"One record only: nothing else is taken to be this {noun}."
    weak = weakest(strongest_tree(group.links))
    if weak is None:
        return "yes", (
            f"These {count:,} records are one {noun}: rules that leave no doubt, or a steward, "
            "join all of them."
        )
    return "yes", (
        f"These {count:,} records are taken to be one {noun}; the weakest link they hang on: "
        f"{odds(weak.weight or 0.0)}."
    )


def _many(noun: str) -> str:
    return "people" if noun == "person" else "companies"


def _tiles(found: Explanation) -> list[tuple[str, str]]:
    groups = found.groups
    links = [link for group in groups for link in group.links]
    sources = {record.source for group in groups for record in group.records}
    kinds = [link.kind for link in links]
    told = [
        (f"{sum(len(g.records) for g in groups):,}", "records"),
        (f"{len(sources):,}", "sources"),
        (f"{kinds.count('certain'):,}", "certain links"),
        (f"{kinds.count('weighed'):,}", "weighed links"),
    ]
    steward = kinds.count("steward")
    return [*told, (f"{steward:,}", "links by a steward")] if steward else told


def _waterfall(link: Link, found: Explanation, numbers: dict[str, int]) -> Waterfall:
    """The bars of a weighed link; what they show adds up to the total shown."""
    told = [part for part in link.fields if part.weight]
    told.sort(key=lambda part: (-abs(part.weight), part.field))
    silent = tuple(part.label for part in link.fields if not part.weight)
    values = [link.start, *(part.weight for part in told)]
    figures = points(values)
    ends = [sum(values[: i + 1]) for i in range(len(values))]
    low = min(0.0, found.cut, *ends) - 1
    high = max(0.0, found.cut, *ends) + 1
    span = high - low

    def percent(x: float) -> float:
        return round(100 * (x - low) / span, 2)

    def bar(start: float, end: float) -> tuple[float, float, str]:
        left, right = percent(min(start, end)), percent(max(start, end))
        return left, round(max(right - left, 0.6), 2), "for" if end >= start else "against"

    steps = [
        Step(starting_point(link.start), "", figures[0], *bar(0.0, ends[0])),
        *(
            Step(finding(part), strength(part.weight), figures[i], *bar(ends[i - 1], ends[i]))
            for i, part in enumerate(told, start=1)
        ),
    ]
    total = link.weight or 0.0
    start, width, side = bar(0.0, total)
    return Waterfall(
        title=f"Records {numbers[link.left]} and {numbers[link.right]}",
        steps=tuple(steps),
        total=signed(sum(round(value * 10) for value in _numbers(figures)) / 10),
        odds=odds(total),
        total_start=start,
        total_width=width,
        total_side=side,
        threshold=signed(found.cut),
        line=percent(found.cut),
        zero=percent(0.0),
        silent=silent,
        model=link.model_version,
    )


def _numbers(figures: Sequence[str]) -> list[float]:
    return [float(figure.replace(MINUS, "-")) for figure in figures]


def _drawing(found: Explanation, numbers: dict[str, int]) -> Drawing | None:
    if not numbers or (len(numbers) == 1):
        return None
    seen: tuple[str, ...] = found.pair or ()
    across = None
    if found.apart is not None and found.pair is not None:
        shown = found.apart.best or found.apart.pair
        label = f"not joined: {signed(shown.weight or 0.0)}" if shown else "not joined"
        ends = (shown.left, shown.right) if shown else found.pair
        across = (*ends, label)
        seen = tuple(dict.fromkeys((*found.pair, *ends)))
    parts = [
        Part(
            group.id,
            group.records,
            group.links,
            tuple(x for x in seen if x in {r.record_id for r in group.records}),
        )
        for group in found.groups
    ]
    return draw(parts, numbers, across, most=40 if len(parts) == 1 else 20)


def _records(found: Explanation, numbers: dict[str, int]) -> list[dict[str, Any]]:
    return [
        {
            "number": numbers[record.record_id],
            "group": group.id,
            "source": record.source,
            "object": record.source_object,
            "id": _short(record.source_record_id),
            "since": record.since_generation,
            "values": {name: _short(value) for name, value in record.values.items()},
        }
        for group in found.groups
        for record in group.records
    ][:MOST_RECORDS]


def _short(value: str) -> str:
    """A value short enough for a table, with its length where it is cut."""
    if len(value) <= LONGEST_VALUE:
        return value
    return f"{value[:LONGEST_VALUE]}… ({len(value):,} characters)"


def _mend(found: Explanation) -> tuple[str, str] | None:
    """A decision, and the line of the overrides file that makes it; none where ids are too long."""
    group: Group = found.groups[0]
    if found.pair is not None:
        one, two = sorted(found.pair)
        decision = "must_link" if found.apart is not None else "cannot_link"
    else:
        weak = weakest(strongest_tree(group.links))
        if weak is None:
            return None
        one, two, decision = weak.left, weak.right, "cannot_link"
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow([group.entity, decision, one, two])
    return (decision, line.getvalue()) if len(line.getvalue()) <= LONGEST_LINE else None
