"""docs/faults.md tells the list of faults that are tried, and what came out on each engine."""

from __future__ import annotations

import pytest

from fault_list import FAULTS, FELL, HELD, NOT_YET
from fault_page import PAGE, as_page, expected_outcomes, outcomes_on_page, page_with


def test_the_page_tells_every_fault() -> None:
    """Whoever reads docs/faults.md reads the list that is tried, and that all of it held."""
    assert PAGE.read_text("utf-8") == as_page(expected_outcomes()), "run `make faults`"


def test_a_new_column_leaves_the_other_engines() -> None:
    """Who tries the faults of one engine keeps the other's column, and adds what is new to it."""
    expected = expected_outcomes()
    fell = {one.name: FELL for one in FAULTS[:1]}
    page = as_page({**expected, "postgres": {**expected["postgres"], **fell}})
    without_last = page.replace(FAULTS[-1].done, "Something that is no longer tried")
    came_out = {name: word for name, word in expected["duckdb"].items() if word == HELD}
    written = page_with(without_last, "duckdb", came_out)
    assert outcomes_on_page(written, "duckdb") == expected["duckdb"]
    assert outcomes_on_page(written, "postgres") == {
        **expected["postgres"],
        **fell,
        FAULTS[-1].name: NOT_YET,
    }


def test_a_column_is_written_whole_or_not_at_all() -> None:
    """Whoever reads the page reads of no fault that another session tried: a column is of one."""
    expected = expected_outcomes()
    page = as_page(expected)
    came_out = {name: word for name, word in expected["postgres"].items() if word == HELD}
    fell = next(iter(came_out))
    assert FELL in page_with(page, "postgres", {**came_out, fell: FELL})
    with pytest.raises(AssertionError, match=fell):
        page_with(page, "postgres", {name: came_out[name] for name in came_out if name != fell})
