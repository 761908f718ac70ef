"""Evidence and health of a run: what made each link, and what the figures of a run say."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from identity_town import TRAPS, people, table_of
from kindred.identity import links, model_files
from kindred.identity.entity import Rule
from kindred.identity.person import PERSON
from kindred.identity.pipeline import resolve
from kindred.identity.resolution import Resolution


@pytest.fixture(scope="module")
def town() -> pa.Table:
    return table_of(people() + TRAPS).drop_columns(["truth"])


@pytest.fixture(scope="module")
def resolved(town: pa.Table) -> Resolution:
    return resolve(town, PERSON, model="train")


def test_a_link_says_how_alike_the_two_are(town: pa.Table, resolved: Resolution) -> None:
    """Whoever reads a weighed link finds the level of each field that both fill, no other."""
    rows = {row["record_id"]: row for row in town.to_pylist()}
    names = {c.field: [level.name for level in c.levels] for c in PERSON.comparisons}
    weighed = [x for x in resolved.links.to_pylist() if x["link_type"] == "probabilistic"]
    assert len(weighed) > 50
    told = set()
    for link in weighed:
        levels = json.loads(link["field_levels"])
        weights = json.loads(link["field_weights"])
        assert set(levels) < set(weights)
        left, right = rows[link["record_id_l"]], rows[link["record_id_r"]]
        for ours, theirs in (("birth", "birth_date"), ("postcode", "postcode")):
            both = bool(left[theirs] and right[theirs])
            assert (ours in levels) == both, (ours, link)
            if both:
                is_same = levels[ours] == names[ours][0]
                assert is_same == (left[theirs].lower() == right[theirs].lower()), (ours, link)
        for name, level in levels.items():
            assert level in names[name]
            told.add((name, level))
    assert {level for _, level in told} > {"same"}


def test_a_link_names_the_model_and_the_rules(resolved: Resolution, town: pa.Table) -> None:
    """Whoever asks which rules or model made a link reads its version; stewards have none."""
    steward = {"decision": ["must_link"], "record_id_l": ["father-1"], "record_id_r": ["wife"]}
    found = resolve(town, PERSON, model="train", overrides=pa.table(steward))
    kinds = {
        (row["link_type"], row["rule_version"], row["model_version"])
        for row in found.links.to_pylist()
    }
    trained = f"trained-{model_files.digest(found.model, PERSON)}"
    assert kinds == {
        ("deterministic", links.rules_version(PERSON), None),
        ("probabilistic", None, trained),
        ("steward", None, None),
    }


def test_versions_change_with_what_they_stand_for(resolved: Resolution, tmp_path: Path) -> None:
    """A version tells two models or sets of rules apart, and is the same for the same one."""
    shipped = model_files.shipped(PERSON)
    assert shipped is not None
    version = model_files.version(shipped, PERSON, "auto")
    assert version.startswith("shipped-")
    path = tmp_path / "ours.json"
    model_files.save(resolved.model, PERSON, path)
    again = model_files.load(path, PERSON)
    trained = model_files.version(resolved.model, PERSON, "auto")
    from_file = model_files.version(again, PERSON, str(path))
    assert trained.startswith("trained-")
    assert from_file == trained.replace("trained-", "ours-")
    other = replace(again, m=(again.m[0] * 0.9, *again.m[1:]))
    assert model_files.version(other, PERSON, str(path)) != from_file
    stricter = replace(PERSON, rules=(*PERSON.rules, Rule("same city", ("city",))))
    assert links.rules_version(stricter) != links.rules_version(PERSON)
