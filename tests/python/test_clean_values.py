"""Staging: each value is cleaned in one place, by macro clean_values."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

MODELS = sorted((Path(__file__).parents[2] / "models" / "staging").glob("*/stg_*.sql"))
_CALL = re.compile(r"\{\{ clean_values\(.*?\) \}\}", re.DOTALL)
# What else may read such a column: the raw text itself.
_READING = re.compile(r"\bto_(?!text)\w+\('(?P<column>[^']+)'")


def twice_cleaned(sql: str) -> set[str]:
    """The columns that clean_values cleans and a macro behind it too."""
    call = _CALL.search(sql)
    if call is None:
        return set()
    named = set(re.findall(r"'([^']+)'", call[0]))
    return {found["column"] for found in _READING.finditer(sql[call.end() :])} & named


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.stem)
def test_no_value_is_cleaned_twice(model: Path) -> None:
    """What clean_values has made is used, not made again."""
    assert not twice_cleaned(model.read_text("utf-8"))


def test_a_value_cleaned_twice_is_seen() -> None:
    """In one line and in several, where the other macro takes more than the column too."""
    for end in ("", "\n    "):
        call = f"{{{{ clean_values('source', phone=['phone', 'fax'], country='land'{end}) }}}}"
        once = f"({call})\nselect {{{{ to_text('phone') }}}}, {{{{ to_name('city') }}}}"
        assert twice_cleaned(once) == set()
        assert twice_cleaned(once + ", {{ to_phone('fax', 'land') }}") == {"fax"}
