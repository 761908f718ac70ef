"""How the faults of one engine are tried: one file of tests an engine, so that two run at once.

With pytest-xdist's `--dist loadfile` the engines are tried side by side.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from fault_ground import EngineName, Ground, copied, prepare
from fault_list import FAULTS, FELL, HELD, TRIED, Fault, Told, told_by
from postgres_server import PostgresServer


@dataclass(frozen=True)
class Trials:
    """The published first batch of an engine, what a clean run makes of the second, and outcomes.

    server: where databases are copied; None on DuckDB.
    came_out: by the name of each fault that was tried.
    """

    ground: Ground
    told: Told
    server: PostgresServer | None
    came_out: dict[str, str] = field(default_factory=dict)

    def attempt(self, one: Fault, folder: Path) -> None:
        """Try a fault in a folder; it is left there where the fault did harm."""
        self.came_out[one.name] = FELL
        with copied(self.ground, folder / "project", self.server) as struck:
            one.trial(struck, self.told)
        self.came_out[one.name] = HELD
        shutil.rmtree(folder / "project")


def parameters(engine: EngineName) -> list[object]:
    """The faults that are tried on an engine, the quick ones first."""
    found = []
    for one in sorted(FAULTS, key=lambda one: not one.is_quick):
        if getattr(one, engine) == TRIED:
            is_quick = one.is_quick and engine == "duckdb"
            marks = () if is_quick else (pytest.mark.slow,)
            found.append(pytest.param(one, marks=marks, id=one.name))
    return found


def prepared(root: Path, engine: EngineName, server: PostgresServer | None) -> Iterator[Trials]:
    """Publish the first batch, and run the second without a fault."""
    with ExitStack() as stack:
        database = stack.enter_context(server.new_database()) if server else None
        ground = prepare(root / "project", engine, database)
        clean = stack.enter_context(copied(ground, root / "clean", server))
        clean.load().expect()
        clean.build().expect()
        yield Trials(ground, told_by(clean), server)
