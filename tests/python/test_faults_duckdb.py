"""Whatever strikes a run on DuckDB: readers keep what they have, the next run ends clean.

The faults and their rules are in fault_list.py. The quick ones are tried in every test run, all of
them with the slow tests and by `make faults`, which writes docs/faults.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fault_list import Fault
from fault_page import tell
from fault_trials import Trials, parameters, prepared


@pytest.fixture(scope="module")
def trials(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trials]:
    """A published warehouse in a file, and what came out of what was done to its copies."""
    yield from prepared(tmp_path_factory.mktemp("faults"), "duckdb", None)


@pytest.mark.parametrize("one", parameters("duckdb"))
def test_a_fault_hurts_nobody(one: Fault, trials: Trials, tmp_path: Path) -> None:
    """Readers keep what they have, and whoever runs Kindred next gets what a clean run gives."""
    trials.attempt(one, tmp_path)


def test_the_page_tells_what_came_out(trials: Trials) -> None:
    """Whoever reads docs/faults.md reads of each fault on DuckDB what came out of it."""
    tell("duckdb", trials.came_out)
