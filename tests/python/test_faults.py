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
from fault_list import FAULTS, TRIED, Fault, Told, as_page, expected_outcomes
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
                made[engine] = (ground, Told(clean.marts()))
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
    CAME_OUT[engine][one.name] = "did not hold"
    with copied(ground, tmp_path / "project", server) as struck:
        one.trial(struck, told)
    CAME_OUT[engine][one.name] = "held"


def test_the_page_tells_every_fault() -> None:
    """Whoever reads docs/faults.md reads the list that is tried, and that all of it held."""
    expected = expected_outcomes()
    outcomes = {name: {**expected[name], **CAME_OUT[name]} for name in expected}
    page = as_page(outcomes)
    if os.environ.get(WRITE):
        left = [one.name for one in FAULTS for name in CAME_OUT if not _is_known(one, name)]
        assert not left, "try every fault before the page is written"
        PAGE.write_text(page, "utf-8")
    assert PAGE.read_text("utf-8") == page, "run `make faults`"
    assert outcomes == expected


def _is_known(one: Fault, engine: str) -> bool:
    """Whether this session tried a fault on an engine, or need not."""
    return getattr(one, engine) != TRIED or one.name in CAME_OUT[engine]
