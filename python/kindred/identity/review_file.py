"""The review queue as a file for a spreadsheet, and the decisions that come back in it.

The file is for people: cells that a spreadsheet would run as a formula are disarmed, and only its
owner may read it. What comes back is trusted in one column: everything else must be as it went out.
"""

from __future__ import annotations

import contextlib
import csv
import hashlib
import io
import json
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from kindred.errors import KindredError
from kindred.identity import stewardship
from kindred.identity.stewardship import CANNOT, MUST, Decision
from kindred.project import Profile
from kindred.warehouse import target
from kindred.warehouse.database import Connection, arrow_rows, literal

FIELDS = {
    "person": (
        "first_name", "last_name", "full_name", "email", "phone", "birth_date", "street",
        "postcode", "city", "company_name", "updated_at",
    ),
    "account": (
        "name", "domain", "registration_number", "phone", "street", "postcode", "city",
        "updated_at",
    ),
}  # fmt: skip
STREAMS = {"person": "person_records", "account": "account_records"}
IDS = {"person": "customer_id", "account": "account_id"}
ANSWERS = {"same": MUST, "different": CANNOT}
# The last four are the wide forms of the first, which some spreadsheets read as those.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
# Matching reads no more of a value; a spreadsheet spills a cell of 32,767 characters over others.
_LONGEST_CELL = 300
_NAMED = ("entity", "record_id_l", "record_id_r")
_NEEDED = ("review_id", "entity", "record_id_l", "record_id_r", "decision")
_MOST_TOLD = 5


def review_id(entity: str, left: str, right: str) -> str:
    """The key of a pair in identity_review_queue (macro review_key), made from what it names.

    So an answer can be told to be about the records it went out with.
    """
    parts = (entity, left, right)
    key = "|".join(f"{len(part)}:{part}" for part in parts)
    return "rev_" + hashlib.md5(key.encode(), usedforsecurity=False).hexdigest()


def export(
    place: Path | Profile, out: Path, entities: Sequence[str], limit: int | None = None
) -> Counter[str]:
    """Write the queue of `entities` to `out`, the most worthwhile first; rows by reason.

    place: the working database, a file of DuckDB or the target of a profile. limit: most rows of
    an entity. Nothing is written where there is nothing to decide. Raises KindredError where the
    queue or the file cannot be had.
    """
    rows: list[dict[str, Any]] = []
    with target.read(place) as con:
        target.refuse_unbuilt(con, place, "kindred", ["identity_review_queue"], "review queue")
        for entity in entities:
            rows += _read_queue(con, entity, limit)
    if rows:
        fields = list(dict.fromkeys(name for entity in entities for name in FIELDS[entity]))
        _write_private(out, _as_csv(rows, fields))
    return Counter(str(row["reason"]) for row in rows)


def _read_queue(con: Connection, entity: str, limit: int | None) -> list[dict[str, Any]]:
    sides = ", ".join(
        f"cast({side}.{name} as text) as {name}_{side}"
        for name in FIELDS[entity]
        for side in ("l", "r")
    )
    found = arrow_rows(
        con,
        f"""
        select
            q.priority, q.entity, q.reason, q.what_to_decide, q.match_weight,
            q.field_weights, q.record_count, q.record_id_l, q.record_id_r, q.review_id,
            q.{IDS[entity]}_l as id_l, q.{IDS[entity]}_r as id_r, {sides}
        from kindred.identity_review_queue as q
        left join streams.{STREAMS[entity]} as l on q.record_id_l = l.record_id
        left join streams.{STREAMS[entity]} as r on q.record_id_r = r.record_id
        where q.entity = {literal(entity)}
        order by q.priority
        {"" if limit is None else f"limit {limit}"}
        """,
    )
    rows: list[dict[str, Any]] = found.to_pylist()
    return rows


def _as_csv(rows: Iterable[dict[str, Any]], fields: Sequence[str]) -> str:
    sides = [f"{name}_{side}" for name in fields for side in ("l", "r")]
    header = [
        "entity", "priority", "reason", "what_to_decide", "decision", "note", *sides,
        "match_weight", "evidence", "record_count", "id_l", "id_r", "record_id_l", "record_id_r",
        "review_id",
    ]  # fmt: skip
    text = io.StringIO()
    writer = csv.DictWriter(text, header, restval="", extrasaction="ignore")
    writer.writeheader()
    for row in rows:
        told = {name: guarded(str(value)) for name, value in row.items() if value is not None}
        told |= {name: _shortened(told[name]) for name in sides if name in told}
        # Numbers of our own: no formula, though they may begin with a minus.
        if row["match_weight"] is not None:
            told["match_weight"] = f"{row['match_weight']:.2f}"
        told["evidence"] = _evidence(row["entity"], row["field_weights"])
        writer.writerow(told)
    # Excel knows UTF-8 by this mark only.
    return "\ufeff" + text.getvalue()


def guarded(text: str) -> str:
    """A cell that no spreadsheet runs: an apostrophe before what would begin a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST_CELL else f"{text[:_LONGEST_CELL]}…"


def unguarded(text: str) -> str:
    """The cell as it was before `guarded`."""
    return text[1:] if text.startswith("'") and text[1:].startswith(_FORMULA) else text


def _evidence(entity: str, field_weights: str | None) -> str:
    """What speaks for and against, in words, the strongest first."""
    from kindred.identity.pipeline import entity_named

    if not field_weights:
        return ""
    weights: dict[str, float] = json.loads(field_weights)
    labels = {c.field: c.label for c in entity_named(entity).comparisons}
    found = []
    for side, sign in (("speaks for it", 1), ("speaks against it", -1)):
        told = sorted(
            (-sign * weight, labels.get(field, field))
            for field, weight in weights.items()
            if field != "starting_weight" and sign * weight >= 0.05
        )
        if told:
            names = ", ".join(f"{label} {-sign * weight:+.1f}" for weight, label in told)
            found.append(f"{side}: {names}")
    return "; ".join(found)


def _write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, in one step."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(f".{path.name}.{os.getpid()}")
        handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="") as stream:
                stream.write(text)
            unfinished.replace(path)
        except OSError:
            unfinished.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise KindredError(
            f"{path} cannot be written: {error.strerror}.", "name another file with --out."
        ) from error


@dataclass(frozen=True)
class Answers:
    """What a filled review file says: the pairs decided, and how many were left open."""

    decided: tuple[Decision, ...]
    unsure: int
    blank: int


def read_answers(path: Path, author: str) -> Answers:
    """The decisions in a filled review file, by `author`; a spreadsheet may have rewritten it.

    Understood are commas, semicolons and tabs, any line ends, with or without a byte order mark.
    Raises KindredError, naming up to five lines, where a row is not one that was exported or its
    decision is none.
    """
    if not author.strip():
        raise KindredError("A decision needs an author.", "say who decided with --author NAME.")
    if "\n" in author or "\r" in author:
        raise KindredError("The author's name has several lines.", "give a name or an address.")
    rows = _read_rows(path)
    problems: list[str] = []
    found: dict[str, tuple[int, Decision]] = {}
    unsure = blank = 0
    for line, row in rows:
        answer = row["decision"].strip().lower()
        if answer == "unsure":
            unsure += 1
        elif not answer:
            blank += 1
        elif answer not in ANSWERS:
            problems.append(
                f"line {line}: '{answer[:20]}' is not a decision; write same, different, unsure,"
                " or leave it empty"
            )
        else:
            entity, left, right = (unguarded(row[name]) for name in _NAMED)
            key = row["review_id"].strip()
            if key != review_id(entity, left, right):
                # A spreadsheet, or a hand, may have put blanks around them.
                entity, left, right = (unguarded(row[name].strip()) for name in _NAMED)
            if key != review_id(entity, left, right):
                problems.append(
                    f"line {line}: the review_id is not that of these two records; one of entity,"
                    " record_id_l, record_id_r and review_id was changed or moved"
                )
                continue
            if left == right:
                problems.append(f"line {line}: there is nothing to decide about one record")
                continue
            note = unguarded(row.get("note", "").strip())
            reason = " ".join(note.split()) or f"reviewed: {row.get('reason', '').strip()}".rstrip(
                ": "
            )
            decision = Decision(entity, ANSWERS[answer], left, right, author.strip(), reason)
            if key in found and found[key][1].decision != decision.decision:
                problems.append(f"lines {found[key][0]} and {line}: one pair is decided both ways")
            found.setdefault(key, (line, decision))
    if problems:
        more = [f"and {len(problems) - _MOST_TOLD} more"] if len(problems) > _MOST_TOLD else []
        told = "\n".join(f"  {text}" for text in problems[:_MOST_TOLD] + more)
        raise KindredError(
            f"{path.name} cannot be taken; nothing was changed.\n{told}",
            "mend these lines, or export the queue again: `kindred identity review`.",
        )
    return Answers(tuple(decision for _, decision in found.values()), unsure, blank)


def _read_rows(path: Path) -> list[tuple[int, dict[str, str]]]:
    """Line number and cells of each row that holds anything."""
    if not path.is_file():
        raise KindredError(
            f"There is no file {path}.", "write one with `kindred identity review --out FILE`."
        )
    text = _decoded(path)
    first, _, rest = text.partition("\n")
    if first.strip().lower().startswith("sep=") and len(first.strip()) == 5:
        text, offset = rest, 1
    else:
        offset = 0
    header = text.partition("\n")[0]
    delimiter = max(",;\t", key=header.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        names = [name.strip().lower() for name in next(reader, [])]
        missing = [name for name in _NEEDED if name not in names]
        if missing:
            raise KindredError(
                f"{path.name} has no column {', '.join(missing)}.",
                "take a file that `kindred identity review` wrote, and keep its first line.",
            )
        found = []
        for cells in reader:
            if any(cell.strip() for cell in cells):
                if len(cells) > len(names) and any(cell.strip() for cell in cells[len(names) :]):
                    raise KindredError(
                        f"{path.name}, line {reader.line_num + offset}: more cells than columns.",
                        "a cell was moved, or a separator stands in a note without quotes.",
                    )
                padded = cells + [""] * (len(names) - len(cells))
                row = dict(zip(names, padded, strict=False))
                found.append((reader.line_num + offset, row))
    except csv.Error as error:
        raise KindredError(
            f"{path.name}, line {reader.line_num + offset}: this is not CSV.",
            "save it from the spreadsheet as CSV, or export the queue again.",
        ) from error
    return found


def _decoded(path: Path) -> str:
    content = path.read_bytes()
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings: tuple[str, ...] = ("utf-16",)
    else:
        # Excel's plain "CSV" is written in the code page of Windows.
        encodings = ("utf-8-sig", "cp1252")
    for encoding in encodings:
        with contextlib.suppress(UnicodeDecodeError):
            text = content.decode(encoding)
            if "\0" not in text:
                return text
    raise KindredError(f"{path.name} is not a text file.", "save it from the spreadsheet as CSV.")


@dataclass(frozen=True)
class Taken:
    """What became of the answers: the decisions written, and how many were known already."""

    written: tuple[Decision, ...]
    known: int


def take(answers: Answers, seed: Path, now: datetime) -> Taken:
    """Add the decisions to the seed file; all of them, or none where they contradict others.

    now (UTC): decisions whose validity has ended by then stand in nobody's way. The lines that
    are there stay as they are; the new ones follow, ordered by entity and records.
    """
    held = stewardship.in_force(stewardship.read_seed(seed), now)
    known = {(one.entity, one.decision, one.pair) for one in held}
    fresh = sorted(
        (one for one in answers.decided if (one.entity, one.decision, one.pair) not in known),
        key=lambda one: (one.entity, one.pair),
    )
    stewardship.refuse_contradictions([*held, *fresh])
    if fresh:
        _append(seed, fresh)
    return Taken(tuple(fresh), len(answers.decided) - len(fresh))


def _append(seed: Path, decisions: Sequence[Decision]) -> None:
    """Add lines to the seed in one step: a reader finds the old file or the new one."""
    content = seed.read_bytes() if seed.is_file() else ",".join(stewardship.COLUMNS).encode()
    line_end = "\r\n" if b"\r\n" in content else "\n"
    text = io.StringIO()
    writer = csv.writer(text, lineterminator=line_end)
    for one in decisions:
        writer.writerow([one.entity, one.decision, *one.pair, one.author, one.reason, "", ""])
    if content and not content.endswith(b"\n"):
        content += line_end.encode()
    unfinished = seed.with_name(f".{seed.name}.{os.getpid()}")
    try:
        seed.parent.mkdir(parents=True, exist_ok=True)
        unfinished.write_bytes(content + text.getvalue().encode("utf-8"))
        if seed.is_file():
            unfinished.chmod(seed.stat().st_mode)
        unfinished.replace(seed)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise KindredError(
            f"{seed} cannot be written: {error.strerror}.", "check its permissions and the disk."
        ) from error
