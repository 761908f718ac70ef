"""The stewards' decisions: read, checked against each other, and honoured in the clusters.

A decision says of two records that they are one (must_link) or are not (cannot_link). Must-links
are transitive; so a contradiction may need several decisions, and the error names them all.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from kindred.errors import KindredError
from kindred.identity.components import IntArray, components
from kindred.identity.grouping import Bonds, regroup

FloatArray = npt.NDArray[np.float64]

SEED = Path("seeds") / "stewardship" / "identity_overrides.csv"
COLUMNS = (
    "entity", "decision", "record_id_l", "record_id_r", "author", "reason",
    "valid_from", "valid_to",
)  # fmt: skip
MUST, CANNOT = "must_link", "cannot_link"
_MOST_TOLD = 6


@dataclass(frozen=True)
class Decision:
    """One decision of a steward; row: its line in the seed, 0 where it came from elsewhere."""

    entity: str
    decision: str
    left: str
    right: str
    author: str = ""
    reason: str = ""
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    row: int = 0

    @property
    def pair(self) -> tuple[str, str]:
        """The two records, the first by name first."""
        return (self.left, self.right) if self.left < self.right else (self.right, self.left)

    def told(self) -> str:
        """The decision in words, for messages: what, which records, who and where."""
        verb = "is the same as" if self.decision == MUST else "is not the same as"
        by = f" ({self.author}{f', line {self.row}' if self.row else ''})" if self.author else ""
        return f"{self.left} {verb} {self.right}{by}"


def read_seed(path: Path) -> list[Decision]:
    """The decisions of the seed file, each checked by itself; [] where there is no such file.

    Raises KindredError, naming the line, where a decision cannot be understood.
    """
    if not path.is_file():
        return []
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            rows = list(csv.DictReader(stream))
    except (UnicodeDecodeError, csv.Error) as error:
        raise KindredError(
            f"{path.name} cannot be read as CSV.", "save it as CSV with commas, in UTF-8."
        ) from error
    with path.open(encoding="utf-8-sig", newline="") as stream:
        header = next(csv.reader(stream), [])
    missing = [name for name in COLUMNS if name not in header]
    if missing:
        raise KindredError(
            f"{path.name} lacks the column {', '.join(missing)}.",
            f"its first line is: {','.join(COLUMNS)}",
        )
    found = [_decision(row, number) for number, row in enumerate(rows, start=2)]
    for decision in found:
        refuse_unclear(decision)
    return found


def _decision(row: Mapping[str, Any], number: int) -> Decision:
    text = {name: str(row.get(name) or "").strip() for name in COLUMNS}
    # A record's id has no blanks around it, but may end in a line break of its source.
    text |= {name: str(row.get(name) or "").strip(" ") for name in ("record_id_l", "record_id_r")}
    return Decision(
        text["entity"], text["decision"], text["record_id_l"], text["record_id_r"],
        text["author"], text["reason"],
        _moment(text["valid_from"], "valid_from", number),
        _moment(text["valid_to"], "valid_to", number),
        number,
    )  # fmt: skip


def _moment(text: str, column: str, number: int) -> datetime | None:
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise KindredError(
            f"identity_overrides, line {number}: {column} is not a time.",
            "write it as 2026-01-31 or 2026-01-31T12:00:00 (UTC).",
        ) from error
    return found.astimezone(UTC).replace(tzinfo=None) if found.tzinfo else found


def refuse_unclear(decision: Decision) -> None:
    """Raise KindredError where a decision alone makes no sense."""
    where = f"identity_overrides{f', line {decision.row}' if decision.row else ''}: "
    if decision.entity not in ("person", "account"):
        raise KindredError(
            f"{where}'{decision.entity}' is not an entity.", "write person or account."
        )
    if decision.decision not in (MUST, CANNOT):
        raise KindredError(
            f"{where}'{decision.decision}' is not a decision.", f"write {MUST} or {CANNOT}."
        )
    if not decision.left or not decision.right:
        raise KindredError(f"{where}a record id is missing.", "name both records.")
    if decision.left == decision.right:
        raise KindredError(
            f"{where}{decision.left} is decided about with itself.", "name two records."
        )
    if not decision.author or not decision.reason:
        lacking = "author" if not decision.author else "reason"
        raise KindredError(
            f"{where}the decision on {decision.left} and {decision.right} has no {lacking}.",
            f"fill the column {lacking}: a decision that nobody can ask about cannot be undone.",
        )
    if decision.valid_from and decision.valid_to and decision.valid_to < decision.valid_from:
        raise KindredError(
            f"{where}the decision on {decision.left} and {decision.right} ends before it begins.",
            "put valid_to after valid_from, or leave one of them empty.",
        )


def in_force(decisions: Iterable[Decision], as_of: datetime) -> list[Decision]:
    """The decisions valid at `as_of` (UTC): from valid_from on, up to and without valid_to."""
    return [
        one
        for one in decisions
        if (one.valid_from is None or one.valid_from <= as_of)
        and (one.valid_to is None or one.valid_to > as_of)
    ]


def of_table(overrides: pa.Table | None, entity: str) -> list[Decision]:
    """Decisions in force of an entity, as the pipeline is given them, checked one by one.

    overrides: decision, record_id_l, record_id_r, and author and reason where they are known.
    """
    if overrides is None:
        return []
    found = [
        Decision(
            entity,
            str(row["decision"]),
            str(row["record_id_l"] or ""),
            str(row["record_id_r"] or ""),
            # Who gives a table without these columns has no place for them.
            str(row.get("author", "unknown") or "").strip(),
            str(row.get("reason", "unknown") or "").strip(),
        )
        for row in overrides.to_pylist()
    ]
    for decision in found:
        refuse_unclear(decision)
    return sorted(found, key=lambda one: (one.pair, one.decision, one.author))


def refuse_contradictions(decisions: Sequence[Decision]) -> None:
    """Raise KindredError where decisions in force cannot all hold, naming those that clash.

    Two records that are not the same must not be joined by one must-link or a chain of them.
    """
    for entity in sorted({one.entity for one in decisions}):
        held = [one for one in decisions if one.entity == entity]
        ways = _ways([one for one in held if one.decision == MUST])
        for forbidden in held:
            if forbidden.decision == CANNOT:
                chain = _chain(ways, *forbidden.pair)
                if chain:
                    raise _contradiction(forbidden, chain)


Ways = Mapping[str, list[tuple[str, Decision]]]


def _ways(musts: Sequence[Decision]) -> Ways:
    found: defaultdict[str, list[tuple[str, Decision]]] = defaultdict(list)
    for one in musts:
        found[one.left].append((one.right, one))
        found[one.right].append((one.left, one))
    return found


def _chain(ways: Ways, start: str, end: str) -> list[Decision]:
    """The shortest chain of must-links from one record to another; [] where there is none."""
    if start not in ways or end not in ways:
        return []
    came: dict[str, tuple[str, Decision]] = {}
    seen, edge = {start}, [start]
    while edge and end not in seen:
        following: list[str] = []
        for here in edge:
            for there, decision in ways[here]:
                if there not in seen:
                    seen.add(there)
                    came[there] = (here, decision)
                    following.append(there)
        edge = following
    found: list[Decision] = []
    while end != start and end in came:
        end, decision = came[end]
        found.append(decision)
    return found[::-1]


def _contradiction(forbidden: Decision, chain: list[Decision]) -> KindredError:
    told = [one.told() for one in chain[:_MOST_TOLD]]
    if len(chain) > _MOST_TOLD:
        told.append(f"and {len(chain) - _MOST_TOLD} more of the kind")
    lines = "\n".join(f"  {text}" for text in [forbidden.told(), *told])
    what = (
        "One pair of records is both must_link and cannot_link"
        if len(chain) == 1
        else f"{len(chain)} must_links join two records that are cannot_link"
    )
    return KindredError(
        f"Decisions on {forbidden.entity} records contradict each other. {what}:\n{lines}",
        "ask their authors, then end one of them: set its valid_to in"
        f" {SEED.as_posix()} to a moment that has passed, or take its line out.",
    )


def nodes_of(
    con: duckdb.DuckDBPyConnection, pairs: list[tuple[str, str]]
) -> tuple[IntArray, IntArray, int]:
    """Representatives of pairs of records (table `members`: record_id, n), and how many are gone.

    Pairs of which a record is gone say nothing; pairs of one representative are left out.
    """
    empty = np.empty(0, np.int64)
    if not pairs:
        return empty, empty, 0
    con.register(
        "decided_pairs",
        pa.table({"l": [pair[0] for pair in pairs], "r": [pair[1] for pair in pairs]}),
    )
    found = con.execute(
        """
        select a.n as l, b.n as r
        from decided_pairs as pairs
        inner join members as a on pairs.l = a.record_id
        inner join members as b on pairs.r = b.record_id
        order by 1, 2
        """
    ).fetchnumpy()
    con.unregister("decided_pairs")
    left, right = found["l"].astype(np.int64), found["r"].astype(np.int64)
    apart = left != right
    return left[apart], right[apart], len(pairs) - len(left)


def honour(
    labels: IntArray,
    left: IntArray,
    right: IntArray,
    weight: FloatArray,
    cut: float,
    bonds: Bonds,
) -> IntArray:
    """Clusters in which every bond holds: what must be together is, what is forbidden is not.

    labels: clusters as the evidence alone has them, a label being the smallest node of its
    cluster. Must-links join whole clusters; a cluster that then holds a forbidden pair, at any
    remove, or two records of a source that holds everybody once, is grouped anew. All others
    stay as they are. Must-links stand above everything, cannot-links above rules and weights.
    """
    result = labels.copy()
    if (labels[bonds.must_left] != labels[bonds.must_right]).any():
        joined = components(len(labels), labels[bonds.must_left], labels[bonds.must_right])
        result = joined[labels]
    suspects = broken(result, bonds)
    return regroup(result, suspects, left, right, weight, cut, bonds)


def broken(labels: IntArray, bonds: Bonds) -> IntArray:
    """Clusters that hold what is forbidden."""
    one, two = labels[bonds.cannot_left], labels[bonds.cannot_right]
    return np.union1d(one[one == two], _crowded(labels, bonds))


def _crowded(labels: IntArray, bonds: Bonds) -> IntArray:
    """Clusters with two records of a source that holds everybody once, must-links left aside."""
    if not len(bonds.mark):
        return np.empty(0, np.int64)
    groups = components(len(labels), bonds.must_left, bonds.must_right)
    held = np.unique(
        np.column_stack([labels[bonds.marked], bonds.mark, groups[bonds.marked]]), axis=0
    )
    again = (held[1:, :2] == held[:-1, :2]).all(axis=1)
    return np.unique(held[1:][again, 0])
