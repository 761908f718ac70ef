"""docs/faults.md: written from the list of faults and from what came out, a column an engine.

The faults of the engines are tried side by side, in processes of their own. Whichever has tried all
of its engine writes that engine's column and leaves the other as it is.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from filelock import FileLock

from fault_ground import EngineName
from fault_list import FAULTS, HELD, NOT_YET, TRIED
from whole_project import REPOSITORY

PAGE = REPOSITORY / "docs" / "faults.md"
WRITE = "KINDRED_WRITE_FAULTS"
_AFTER = [
    "## After a fault",
    "",
    "`kindred build --resume` is always right: it goes on with a run that was killed or failed, if"
    " nothing it was built from has changed since; otherwise it says why and builds everything. A"
    " plain `kindred build` builds everything. Both end with the same tables.",
    "",
    "A build that stops because a source lost most of its rows, or a column, is let through once by"
    " `kindred build --accept-loss SOURCE`.",
]


def as_page(outcomes: dict[EngineName, dict[str, str]]) -> str:
    """docs/faults.md, with the outcome of each fault on each engine."""
    lines = [
        "# Faults",
        "",
        "What was done to Kindred on purpose, and what had to hold. The warehouse has two sources"
        " and fifty people; one batch is published, a second one meets the fault. The table is"
        " written by the tests (`make faults`), which try all of it on both engines in"
        " `make test-all`, and the quick ones on DuckDB in `make test`.",
        "",
        "| What is done | What must hold | DuckDB | Postgres |",
        "| --- | --- | --- | --- |",
    ]
    lines += [
        f"| {one.done} | {one.rule} | {outcomes['duckdb'][one.name]} |"
        f" {outcomes['postgres'][one.name]} |"
        for one in FAULTS
    ]
    return "\n".join([*lines, "", *_AFTER, ""])


def outcomes_on_page(page: str, engine: EngineName) -> dict[str, str]:
    """What docs/faults.md says of each fault on an engine; of one that it lacks, not tried yet."""
    place = {"duckdb": 2, "postgres": 3}[engine]
    rows = [line.strip("| ").split(" | ") for line in page.splitlines() if line.startswith("| ")]
    said = {cells[0]: cells[place] for cells in rows}
    return {one.name: said.get(one.done, NOT_YET) for one in FAULTS}


def expected_outcomes() -> dict[EngineName, dict[str, str]]:
    """What the page must say: every fault held wherever it is tried."""
    engines: tuple[EngineName, ...] = ("duckdb", "postgres")
    return {
        engine: {
            one.name: HELD if getattr(one, engine) == TRIED else getattr(one, engine)
            for one in FAULTS
        }
        for engine in engines
    }


def page_with(page: str, engine: EngineName, came_out: dict[str, str]) -> str:
    """The page with a new column for one engine; the other's stays.

    came_out: the outcome by name of every fault that is tried on the engine.
    """
    expected = expected_outcomes()[engine]
    left = [name for name, word in expected.items() if word == HELD and name not in came_out]
    assert not left, f"try every fault of an engine before its column is written, also {left}"
    other: EngineName = "postgres" if engine == "duckdb" else "duckdb"
    outcomes = {other: outcomes_on_page(page, other)}
    outcomes[engine] = {**expected, **came_out}
    return as_page(outcomes)


def tell(engine: EngineName, came_out: dict[str, str]) -> None:
    """Hold what came out on an engine against the page; where asked to, write its column first."""
    if os.environ.get(WRITE):
        # Beside no file of the project: locks are left where they lie.
        with FileLock(Path(tempfile.gettempdir()) / f"kindred-faults-{os.getuid()}.lock"):
            PAGE.write_text(page_with(PAGE.read_text("utf-8"), engine, came_out), "utf-8")
    said = outcomes_on_page(PAGE.read_text("utf-8"), engine)
    assert {name: said[name] for name in came_out} == came_out, "run `make faults`"
