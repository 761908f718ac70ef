"""`kindred identity review`: the review queue out as a file, the stewards' decisions in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from kindred.cli._shared import database_of, database_options

if TYPE_CHECKING:
    from collections import Counter

    from kindred.identity.review_file import Answers, Taken
    from kindred.project import Profile


@click.command("review")
@click.option("--out", type=click.Path(path_type=Path), help="File to write [reports/review.csv].")
@click.option("--limit", type=click.IntRange(min=1), help="Most rows of people, and of companies.")
@click.option(
    "--entity", type=click.Choice(["person", "account"]), help="Only people, or only companies."
)
@click.option("--take", "taken", type=click.Path(path_type=Path), help="File with decisions.")
@click.option("--author", help="Who decided; goes with --take.")
@database_options("Read the queue from this DuckDB file instead of the target.")
def command(
    out: Path | None,
    limit: int | None,
    entity: str | None,
    taken: Path | None,
    author: str | None,
    database: Path | None,
    project_dir: Path | None,
    target: str | None,
) -> None:
    """Write what is worth a steward's minute to a file, or take back the decisions in it.

    Fill the column decision with same or different; unsure and empty rows stay in the queue.

    Example: kindred identity review --limit 50, then
    kindred identity review --take reports/review.csv --author mia
    """
    from kindred.errors import KindredError
    from kindred.project import load_project

    root = load_project(project_dir).root
    if taken is None:
        if author is not None:
            raise KindredError("--author goes with --take.", "name the filled file with --take.")
        _export(
            database_of(project_dir, target, database),
            out or root / "reports" / "review.csv",
            entity,
            limit,
        )
        return
    given = {"--out": out, "--limit": limit, "--entity": entity}
    named = [name for name, value in given.items() if value is not None]
    if named:
        raise KindredError(
            f"{' and '.join(named)} cannot go with --take.",
            "take the decisions first, then export.",
        )
    _take(root, taken, author or "")


def _export(place: Path | Profile, out: Path, entity: str | None, limit: int | None) -> None:
    from kindred.identity.review_file import FIELDS, export

    reasons = export(place, out, [entity] if entity else list(FIELDS), limit)
    click.echo(_told_export(reasons, out))


def _told_export(reasons: Counter[str], out: Path) -> str:
    if not reasons:
        return "Nothing waits for a steward. No file was written."
    lines = [f"Wrote {sum(reasons.values()):,} pairs to {out}."]
    lines += [f"  {count:6,}  {reason}" for reason, count in reasons.most_common()]
    lines += [
        "The file shows personal data: keep it to yourself, and delete it when you are done.",
        "Fill the column decision with same or different, then:",
        f"  kindred identity review --take {out} --author YOUR-NAME",
    ]
    return "\n".join(lines)


def _take(root: Path, path: Path, author: str) -> None:
    from datetime import UTC, datetime

    from kindred.identity import review_file, stewardship

    answers = review_file.read_answers(path, author)
    now = datetime.now(UTC).replace(tzinfo=None)
    done = review_file.take(answers, root / stewardship.SEED, now)
    click.echo(_told_taken(answers, done))


def _told_taken(answers: Answers, done: Taken) -> str:
    from kindred.identity.stewardship import MUST, SEED

    same = sum(one.decision == MUST for one in done.written)
    lines = []
    if done.written:
        lines.append(
            f"Wrote {len(done.written):,} decisions to {SEED.as_posix()}:"
            f" {same:,} same, {len(done.written) - same:,} different."
        )
    else:
        lines.append("No new decision: nothing was changed.")
    if done.known:
        lines.append(f"{done.known:,} were decided so already.")
    if answers.unsure or answers.blank:
        lines.append(f"{answers.unsure + answers.blank:,} are open still and stay in the queue.")
    if done.written:
        lines.append("Next: `kindred build` applies them; then delete the review file.")
    return "\n".join(lines)
