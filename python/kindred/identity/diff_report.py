"""A diff for people and machines: text for the terminal, Markdown, JSON, and one offline page.

Holds ids, counts and sums of money, no personal value. The same diff gives the same bytes.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from kindred import pages
from kindred.errors import harmless
from kindred.identity.diff_changes import Cause, Diff, EntityChange, Example, SegmentChange
from kindred.identity.diff_limits import Verdict, merged_count, share_of, split_count
from kindred.warehouse.figures import CONSENTS

FORMAT = 1
NOUNS = {"person": ("customer", "customers"), "account": ("account", "accounts")}
# Lines of the table of customers and accounts: title, the figure's name, whether its share of the
# base is told.
_FATES = (
    ("unchanged", "unchanged", True),
    ("merged with others", "merged", True),
    ("split", "split", True),
    ("split, and parts merged", "merged_and_split", True),
    ("records came or went", "records_changed", True),
    ("retired: no record left", "retired", True),
    ("new", "new", False),
)
Row = tuple[str, ...]


def as_text(diff: Diff, verdicts: Sequence[Verdict], change: Sequence[str]) -> str:
    """The diff for the terminal. change: lines that say what the candidate does differently."""
    lines = [
        f"Base       {diff.base.name}, generation {diff.base.generation}, as of "
        f"{diff.base.as_of:%Y-%m-%d %H:%M} UTC",
        f"Candidate  {diff.candidate.name}",
        *(f"           {line}" for line in change),
        "",
    ]
    if diff.is_empty:
        lines += ["Nothing differs: every customer and account has the records it had.", ""]
    lines += _table(("Customers and accounts", *_fate_titles()), fate_rows(diff))
    lines += ["", *_table(("Records", "customers", "", "accounts", ""), record_rows(diff))]
    if diff.segments:
        lines += ["", *_table(_SEGMENT_TITLES, [segment_row(s) for s in diff.segments])]
    lines += ["", *_table(_FLAG_TITLES, flag_rows(diff)), "", *consent_lines(diff)]
    if diff.causes:
        lines += ["", *_table(("Rules behind it", "links", "number"), cause_rows(diff))]
    told: set[str] = set()
    for title, examples in grouped_examples(diff):
        lines += ["", title]
        for example in examples:
            about = f"{example.kind} {example.entity_id}"
            lines += _example_lines(example) if about not in told else [_told_above(example)]
            told.add(about)
    lines += ["", *limit_lines(verdicts)]
    return "\n".join(harmless(line).rstrip() for line in lines) + "\n"


def _fate_titles() -> Row:
    return ("customers", "share", "accounts", "share")


def fate_rows(diff: Diff) -> list[Row]:
    """What became of customers and accounts, a line each: title, count, share, count, share."""
    rows: list[Row] = [("in the base", *_cells(diff, "base", False))]
    rows += [
        (title, *_cells(diff, name, with_share))
        for title, name, with_share in _FATES
        if name == "unchanged" or any(getattr(change, name) for change in diff.entities)
    ]
    rows.append(("in the candidate", *_cells(diff, "candidate", False)))
    rows.append(("merges", *_cells(diff, "merges", False)))
    rows.append(("splits", *_cells(diff, "splits", False)))
    return rows


def record_rows(diff: Diff) -> list[Row]:
    """What became of records, a line each."""
    rows: list[Row] = [("in both", *_cells(diff, "shared_records", False))]
    moved: list[str] = []
    for change in diff.entities:
        moved += [
            f"{change.records_moved:,}",
            share_of(change.records_moved, change.shared_records),
        ]
    rows.append(("moved to another id", *moved))
    for title, name in (
        ("only in the candidate", "records_added"),
        ("only in the base", "records_gone"),
        ("ids the candidate does not know", "unknown_ids"),
    ):
        if any(getattr(change, name) for change in diff.entities):
            rows.append((title, *_cells(diff, name, False)))
    return rows


def _cells(diff: Diff, name: str, with_share: bool) -> Row:
    cells: list[str] = []
    for change in diff.entities:
        count = int(getattr(change, name))
        cells += [f"{count:,}", share_of(count, change.base) if with_share else ""]
    return tuple(cells)


_SEGMENT_TITLES = (
    "Segments", "before", "after", "gained", "lost", "merged", "split off", "changed",
)  # fmt: skip


def segment_row(segment: SegmentChange) -> Row:
    """A segment: name, before, after, gained, lost, merged away, split off, share changed."""
    sizes = tuple(
        "-" if size is None else f"{size:,}" for size in (segment.base, segment.candidate)
    )
    if segment.base is None:
        changed = "new segment"
    elif segment.candidate is None:
        changed = "no longer there"
    else:
        changed = share_of(segment.changed, segment.base or segment.candidate)
    counts = (segment.gained, segment.lost, segment.joined, segment.parted)
    return (segment.segment, *sizes, *(f"{count:,}" for count in counts), changed)


_FLAG_TITLES = (
    "Customers who may be reached by, or agreed to",
    "before",
    "after",
    "gained",
    "lost",
)


def flag_rows(diff: Diff) -> list[Row]:
    """Each consent flag: name, before, after, gained, lost."""
    return [
        (CONSENTS[f.flag], *(f"{count:,}" for count in (f.base, f.candidate, f.gained, f.lost)))
        for f in diff.flags
    ]


def consent_lines(diff: Diff) -> list[str]:
    """How many permissions are in force that nobody gave, and for whom."""
    if not diff.consent_gained:
        return ["No permission is in force that nobody gave."]
    lines = [
        f"{_count(diff.consent_gained, 'permission is', 'permissions are')} in force that nobody "
        "gave, or that was denied before:"
    ]
    for gain in diff.consent_gains:
        what = gain.purpose if gain.channel == "any" else f"{gain.purpose} by {gain.channel}"
        lines.append(f"  {what}: {gain.permissions:,}, such as of {', '.join(gain.customers)}")
    return lines


def cause_rows(diff: Diff) -> list[Row]:
    """By rule: in how many merges its links join, and in how many splits they joined."""
    return [
        (
            f"{cause.rule}",
            cause.link_type,
            f"{_count(cause.count, cause.kind)} of {NOUNS[cause.entity][1]}",
        )
        for cause in diff.causes
    ]


def grouped_examples(diff: Diff) -> list[tuple[str, list[Example]]]:
    """The examples by title."""
    grouped: dict[str, list[Example]] = {}
    for example in diff.examples:
        title = (
            f"Largest {example.kind}s of {NOUNS[example.entity][1]}, by "
            f"{'number of records' if example.ranked_by == 'records' else 'revenue'}"
        )
        grouped.setdefault(title, []).append(example)
    return list(grouped.items())


def limit_lines(verdicts: Sequence[Verdict]) -> list[str]:
    """What the limits say."""
    passed = [verdict for verdict in verdicts if verdict.is_passed]
    if not verdicts:
        return ["No limit is set."]
    if not passed:
        return [f"Within all limits ({_limits_held(verdicts)})."]
    return ["Over the limit:", *(f"  {verdict}" for verdict in passed)]


def _limits_held(verdicts: Sequence[Verdict]) -> str:
    held: dict[str, str] = {}
    for verdict in verdicts:
        held.setdefault(verdict.limit.replace("_", " "), str(verdict.allowed))
    return ", ".join(f"{name} {allowed}" for name, allowed in sorted(held.items()))


def headline(example: Example) -> str:
    """What the example is about, in one line."""
    money = ", ".join(f"{amount:,.2f} {currency}" for currency, amount in example.money.items())
    noun = NOUNS[example.entity][1]
    what = (
        f"{example.part_count} {noun} become {example.entity_id}"
        if example.kind == "merge"
        else f"{example.entity_id} becomes {example.part_count} {noun}"
    )
    return f"{what}: {_count(example.records, 'record')}" + (f", {money}" if money else "")


def cause_text(cause: Cause) -> str:
    """A link in words."""
    weight = "" if cause.match_weight is None else f", weight {cause.match_weight:.1f}"
    return f"{cause.rule} ({cause.link_type}{weight})"


def _example_lines(example: Example) -> list[str]:
    lines = [f"  {headline(example)}"]
    for part in example.parts:
        more = part.records - len(part.record_ids)
        ids = ", ".join(part.record_ids) + (f" and {more} more" if more else "")
        lines.append(f"    {part.entity_id}: {ids}")
    if example.part_count > len(example.parts):
        lines.append(f"    and {example.part_count - len(example.parts)} more")
    verb = "joined by" if example.kind == "merge" else "were joined by"
    for cause in example.causes:
        told = "kept apart by" if cause.rule == "cannot link" else verb
        lines.append(f"    {told} {cause_text(cause)}: {cause.record_id_l}, {cause.record_id_r}")
    if not example.causes:
        lines.append("    no direct link between them: they hang together by other records")
    return lines


def _told_above(example: Example) -> str:
    return f"  {headline(example)} (see above)"


def _count(count: int, noun: str, many: str | None = None) -> str:
    return f"{count:,} {noun if count == 1 else many or noun + 's'}"


def _table(titles: Row, rows: Sequence[Row]) -> list[str]:
    """Aligned lines: the first column left, the others right; a column of text left as well."""
    everything = [titles, *rows]
    widths = [max(len(row[i]) for row in everything) for i in range(len(titles))]
    is_text = [
        i == 0 or all(not row[i][:1].isdigit() and row[i] != "-" for row in rows if row[i])
        for i in range(len(titles))
    ]
    lines: list[str] = []
    for number, row in enumerate(everything):
        cells = [
            cell.ljust(width) if left else cell.rjust(width)
            for cell, width, left in zip(row, widths, is_text, strict=True)
        ]
        lines.append(("" if number == 0 else "  ") + cells[0] + ("  " if number == 0 else ""))
        lines[-1] += "".join(f"  {cell}" for cell in cells[1:])
    return lines


def as_json(diff: Diff, verdicts: Sequence[Verdict], change: Sequence[str]) -> str:
    """The diff as JSON, keys sorted; money as text with its decimals."""
    content = {
        "format": FORMAT,
        "change": list(change),
        "is_empty": diff.is_empty,
        "consent_gained": diff.consent_gained,
        "is_within_limits": not any(verdict.is_passed for verdict in verdicts),
        "limits": [
            {**dataclasses.asdict(verdict), "allowed": str(verdict.allowed)} for verdict in verdicts
        ],
        **dataclasses.asdict(diff),
    }
    for side in ("base", "candidate"):
        content[side] = {key: content[side][key] for key in ("name", "generation", "as_of")}
    return json.dumps(content, indent=2, sort_keys=True, default=_plain) + "\n"


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return f"{value:.2f}"
    raise TypeError(type(value).__name__)


def as_markdown(diff: Diff, verdicts: Sequence[Verdict]) -> str:
    """The figures and what is over a limit, as Markdown for a CI step summary."""
    passed = any(verdict.is_passed for verdict in verdicts)
    lines = [
        f"### Matching: {'over the limit' if passed else 'within the limits'}",
        "",
        "| | customers | share | accounts | share |",
        "|---|---:|---:|---:|---:|",
        *(f"| {' | '.join(row)} |" for row in fate_rows(diff)),
        "",
        "| segment | before | after | gained | lost | merged | split off | changed |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
        *(f"| {' | '.join(segment_row(segment))} |" for segment in diff.segments),
        "",
        *consent_lines(diff),
        "",
        *limit_lines(verdicts),
    ]
    return "\n".join(lines) + "\n"


def write_page(diff: Diff, verdicts: Sequence[Verdict], change: Sequence[str], path: Path) -> None:
    """Write the diff as one page that loads nothing from outside."""
    pages.write_page(
        path,
        "diff.html",
        diff=diff,
        change=change,
        passed=[str(verdict) for verdict in verdicts if verdict.is_passed],
        verdicts=verdicts,
        within=limit_lines(verdicts)[0],
        tiles=[_tile(change) for change in diff.entities],
        fates=fate_rows(diff),
        records=record_rows(diff),
        segments=[segment_row(segment) for segment in diff.segments],
        flags=flag_rows(diff),
        consent=consent_lines(diff),
        causes=cause_rows(diff),
        examples=grouped_examples(diff),
        headline=headline,
        cause_text=cause_text,
    )


def _tile(change: EntityChange) -> dict[str, Any]:
    return {
        "noun": NOUNS[change.entity][1],
        "unchanged": f"{change.unchanged:,}",
        "merged": f"{merged_count(change):,}",
        "split": f"{split_count(change):,}",
        "moved": f"{change.records_moved:,}",
    }
