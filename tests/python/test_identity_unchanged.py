"""A run that is given what the last one was given hands back what that one found."""

from __future__ import annotations

import gc
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from identity_town import people, table_of
from kindred.identity import dbt_model, incremental, model_files, touched, unchanged
from kindred.identity.reference import load_reference
from kindred.identity.resolution import PARTS, nothing
from kindred.identity.touched import Now

ROOT = Path(__file__).resolve().parents[2]
SETTINGS: Mapping[str, Any] = {
    "identity_model": "auto",
    "identity_cut": "None",
    "junk_max_names_per_contact": "20",
    "junk_max_names_per_address": "40",
    "identity_policy": {},
}


@pytest.fixture(scope="module")
def town() -> pa.Table:
    return table_of(people(40, seed=3)).drop_columns(["truth"])


def _given(records: pa.Table, last: pa.Table) -> dict[str, Any]:
    identifiers = {name: ["a:b:1"] for name in ("record_id", "identifier_type", "identifier_value")}
    decided = ("decision", "record_id_l", "record_id_r", "author", "reason")
    kept = last.filter(pa.compute.equal(last["part"], "kept"))
    return {
        "records": records,
        "identifiers": pa.table(identifiers),
        "overrides": pa.table({name: pa.nulls(0, pa.string()) for name in decided}),
        "earlier": kept.select(["kind", "chunk", "settings", "packed"]),
        "last": lambda: last,
    }


def _run(given: dict[str, Any], settings: Mapping[str, Any] = SETTINGS) -> pa.Table:
    return dbt_model.resolve_relations("person", given, load_reference(), settings)


@pytest.fixture(scope="module")
def first(town: pa.Table) -> pa.Table:
    """What a first run finds."""
    return _run(_given(town, nothing()))


@pytest.fixture
def matched(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Counts how often records are really matched."""
    calls: list[int] = []
    resolve = incremental.resolve

    def counted(now: Now, *more: Any, **named: Any) -> Any:
        calls.append(now.size)
        return resolve(now, *more, **named)

    monkeypatch.setattr(incremental, "resolve", counted)
    return calls


def test_a_run_with_nothing_new_matches_nothing(
    town: pa.Table, first: pa.Table, matched: list[int]
) -> None:
    """Whoever builds again without new records gets the last findings, however rows are ordered."""
    order = list(reversed(range(town.num_rows)))
    assert _run(_given(town.take(order), first)).equals(first)
    assert matched == []


CHANGES: dict[str, Callable[[dict[str, Any]], None]] = {
    "a record goes": lambda given: given.update(records=given["records"].slice(1)),
    "a record comes twice in place of another": lambda given: given.update(
        identifiers=pa.concat_tables([given["identifiers"]] * 2)
    ),
    "a value moves to another column": lambda given: given.update(
        records=given["records"].rename_columns(
            [
                {"first_name": "last_name", "last_name": "first_name"}.get(name, name)
                for name in given["records"].column_names
            ]
        )
    ),
    "a steward decides": lambda given: given.update(
        overrides=pa.table(
            {
                "decision": ["cannot_link"],
                "record_id_l": given["records"]["record_id"].slice(0, 1),
                "record_id_r": given["records"]["record_id"].slice(1, 1),
                "author": ["mia"],
                "reason": ["father and son"],
            }
        )
    ),
    "everything is asked for anew": lambda given: given.update(
        earlier=given["earlier"].slice(0, 0)
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_changes_is_matched_again(
    town: pa.Table, first: pa.Table, matched: list[int], change: str
) -> None:
    """Records, identifiers and decisions: any change is seen, for all who rely on a new run."""
    given = _given(town, first)
    CHANGES[change](given)
    _run(given)
    assert len(matched) == 1


def test_a_run_that_had_to_train_is_known_again(
    town: pa.Table, matched: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a run could use what was kept, and then trained and kept nothing, the next one with
    nothing new matches nothing all the same."""
    monkeypatch.setattr(model_files, "other_records", lambda *_: "")
    monkeypatch.setattr(model_files, "misfit", lambda *_: "")
    monkeypatch.setattr(touched, "MOST", 2.0)
    left = nothing()
    for records in (town, town.slice(1), town.slice(1)):
        given = _given(records, left)
        last = dbt_model.resolve_relations(
            "person", given, load_reference(), SETTINGS, duckdb.connect(), keeps=True,
            changes_only=True,
        )  # fmt: skip
        left = last if last.num_rows else left
        monkeypatch.setattr(model_files, "misfit", lambda *_: "nothing fits")
    assert len(matched) == 2


def test_other_settings_words_or_code_match_again(
    town: pa.Table, first: pa.Table, matched: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever changes the cut, a word list or the code gets new findings."""
    _run(_given(town, first), {**SETTINGS, "identity_cut": "3"})
    words = load_reference()
    words["nicknames"] = words["nicknames"].slice(1)
    dbt_model.resolve_relations("person", _given(town, first), words, SETTINGS)
    monkeypatch.setattr(unchanged, "_code", lambda: "another version")
    _run(_given(town, first))
    assert len(matched) == 3


def test_another_model_file_matches_again(tmp_path: Path) -> None:
    """A model file that was trained anew under its old name is seen."""
    path = tmp_path / "model.json"
    found = set()
    for content in ("{}", "{ }"):
        path.write_text(content)
        found.add(unchanged.fingerprint("person", {}, SETTINGS, (path,)))
    assert len(found) == 2


def test_the_project_reads_back_every_column_of_the_findings() -> None:
    """What the last run found comes back whole: the macro names the columns of the findings."""
    text = (ROOT / "macros/identity/resolution.sql").read_text("utf-8")
    body = text.split("{% macro findings_as_left(model_name) -%}")[1].split("endmacro")[0]
    kinds = {"text": pa.string(), "bigint": pa.int64(), "bytea": pa.binary()}
    kinds["double precision"] = pa.float64()
    assert {n: kinds[t] for n, t in re.findall(r"'(\w+)': '([\w ]+)'", body)} == PARTS


def test_what_dbt_holds_is_set_aside_once(town: pa.Table, first: pa.Table) -> None:
    """Garbage is not looked for through all that dbt holds; what comes later stays no longer for
    it, as a process may run dbt again and again."""
    held = gc.get_freeze_count()
    assert held
    later = [[number] for number in range(10_000)]
    _run(_given(town, first))
    assert gc.get_freeze_count() <= held
    assert len(later) == 10_000
