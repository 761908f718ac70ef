"""Whatever strikes a run: what is published stays, nothing is lost, the next run ends clean.

The faults and their rules are in fault_list.py. The quick ones are tried on DuckDB in every test
run, all of them on both engines with the slow tests. `make faults` writes docs/faults.md.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fault_ground import EngineName, Ground, copied, prepare
from fault_list import (
    FAULTS,
    FELL,
    HELD,
    NOT_YET,
    TRIED,
    Fault,
    Told,
    as_page,
    expected_outcomes,
    outcomes_on_page,
    told_by,
)
from postgres_server import PostgresServer
from whole_project import REPOSITORY

PAGE = REPOSITORY / "docs" / "faults.md"
WRITE = "KINDRED_WRITE_FAULTS"
CAME_OUT: dict[str, dict[str, str]] = {"duckdb": {}, "postgres": {}}


def trials() -> list[object]:
    found = []
    for engine in ("duckdb", "postgres"):
        for one in sorted(FAULTS, key=lambda one: not one.is_quick):
            if getattr(one, engine) == TRIED:
                is_quick = one.is_quick and engine == "duckdb"
                marks = () if is_quick else (pytest.mark.slow,)
                found.append(pytest.param(engine, one, marks=marks, id=f"{engine}-{one.name}"))
    return found


@pytest.fixture(scope="module")
def grounds(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Callable[[EngineName], tuple[Ground, Told]]]:
    """By engine: the published first batch, and what a clean run makes of the second."""
    root = tmp_path_factory.mktemp("faults")
    made: dict[str, tuple[Ground, Told]] = {}
    open_databases = []

    def ground_of(engine: EngineName) -> tuple[Ground, Told]:
        if engine not in made:
            server: PostgresServer | None = None
            database = None
            if engine == "postgres":
                server = request.getfixturevalue("postgres")
                opened = server.new_database()
                database = opened.__enter__()
                open_databases.append(opened)
            ground = prepare(root / engine / "project", engine, database)
            with copied(ground, root / engine / "clean", server) as clean:
                clean.load().expect()
                clean.build().expect()
                made[engine] = (ground, told_by(clean))
        return made[engine]

    yield ground_of
    for opened in open_databases:
        opened.__exit__(None, None, None)


@pytest.mark.parametrize(("engine", "one"), trials())
def test_a_fault_hurts_nobody(
    engine: EngineName,
    one: Fault,
    grounds: Callable[[EngineName], tuple[Ground, Told]],
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    """Readers keep what they have, and whoever runs Kindred next gets what a clean run gives."""
    ground, told = grounds(engine)
    server = request.getfixturevalue("postgres") if engine == "postgres" else None
    CAME_OUT[engine][one.name] = FELL
    with copied(ground, tmp_path / "project", server) as struck:
        one.trial(struck, told)
    CAME_OUT[engine][one.name] = HELD


def test_the_page_tells_every_fault() -> None:
    """Whoever reads docs/faults.md reads the list that is tried, and that all of it held."""
    expected = expected_outcomes()
    if os.environ.get(WRITE):
        PAGE.write_text(
            as_page({engine: _outcomes_to_write(engine) for engine in CAME_OUT}), "utf-8"
        )
    outcomes = {engine: {**expected[engine], **CAME_OUT[engine]} for engine in expected}
    assert PAGE.read_text("utf-8") == as_page(outcomes), "run `make faults`"
    assert outcomes == expected


def _outcomes_to_write(engine: str) -> dict[str, str]:
    """What came out on an engine; of one that this session left out, what the page says of it."""
    if not CAME_OUT[engine]:
        return outcomes_on_page(PAGE.read_text("utf-8"), engine)
    expected = expected_outcomes()[engine]
    left = [
        name for name, word in expected.items() if word == HELD and name not in CAME_OUT[engine]
    ]
    assert not left, "try every fault of an engine before the page is written"
    return {**expected, **CAME_OUT[engine]}


def test_the_page_keeps_what_another_session_found() -> None:
    """Who tries the faults of one engine leaves the other's column, and adds what is new to it."""
    expected = expected_outcomes()
    fell = {one.name: FELL for one in FAULTS[:1]}
    page = as_page({**expected, "postgres": {**expected["postgres"], **fell}})
    without_last = page.replace(FAULTS[-1].done, "Something that is no longer tried")
    assert outcomes_on_page(page, "duckdb") == expected["duckdb"]
    assert outcomes_on_page(without_last, "postgres") == {
        **expected["postgres"],
        **fell,
        FAULTS[-1].name: NOT_YET,
    }
