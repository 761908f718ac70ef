"""Which model weighs: the shipped one where its likely matches agree as in training."""

from __future__ import annotations

import random

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from identity_town import people as town_people
from identity_town import table_of
from kindred.identity import learning, mixture, model_files, training
from kindred.identity.mixture import FloatArray, Model
from kindred.identity.person import PERSON
from kindred.identity.pipeline import resolve
from kindred.identity.resolution import Resolution
from whole_project import WholeProject


def _shipped() -> Model:
    found = model_files.shipped(PERSON)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def people(built_project: WholeProject) -> pa.Table:
    """The sample's records of people, as matching gets them."""
    names = ", ".join(f"'{name}'" for name in PERSON.inputs)
    with duckdb.connect(str(built_project.database), read_only=True) as con:
        return con.execute(
            f"select record_id, columns([{names}])::text from streams.person_records"
            " where not coalesce(is_test, false) order by record_id"
        ).to_arrow_table()


def _resolved(records: pa.Table) -> Resolution:
    return resolve(records, PERSON, with_links=False)


def test_the_shipped_model_fits_records_of_its_kind_however_few(people: pa.Table) -> None:
    """Whoever has a hundred times fewer records than the model was trained on gets it all the
    same, with the shares of the kinds of pairs that these records have."""
    found = _resolved(people)
    assert found.model_choice.startswith("the shipped model")
    assert model_files.version(found.model, PERSON, "auto").startswith("shipped-")
    assert found.model.kinds != _shipped().kinds
    fields = [c.field for c in PERSON.comparisons if not c.holders_of and not c.optional]
    for name in fields:
        ours, theirs = found.model.fields.index(name), _shipped().fields.index(name)
        assert found.model.m[ours] == pytest.approx(_shipped().m[theirs], abs=1e-9)


@pytest.mark.parametrize("field", ["last_name", "birth_date"])
def test_the_shipped_model_is_refused_where_records_err_otherwise(
    people: pa.Table, field: str
) -> None:
    """Whoever has more mistyped names, or more wrong birth dates, than the records of the training
    gets a model trained on the own ones, and reads why."""
    rng = random.Random(5)

    def spoiled(value: object) -> object:
        if value is None or rng.random() > 0.3:
            return value
        text = str(value)
        place = rng.randrange(1, len(text))
        return (
            f"{text[:5]}{rng.randint(1, 12):02}{text[7:]}"
            if field == "birth_date"
            else text[:place] + rng.choice("aeinrst") + text[place:]
        )

    both = [field, "full_name"] if field == "last_name" else [field]
    rows = [{**row, **{name: spoiled(row[name]) for name in both}} for row in people.to_pylist()]
    found = _resolved(pa.Table.from_pylist(rows, schema=people.schema))
    compared = {"last_name": "family", "birth_date": "birth"}[field]
    assert f"likely matches agree in {compared} otherwise" in found.model_choice
    assert model_files.version(found.model, PERSON, "auto").startswith("trained-")


def test_strangers_who_agree_otherwise_refuse_the_model() -> None:
    """Whoever holds the people of one postcode area only does not get weights made for a whole
    country; how many namesakes there are refuses no model."""
    model = _shipped()
    comparisons = tuple(c for c in PERSON.comparisons if c.field in model.fields)

    def judged(field: str, shares: FloatArray, matches: bool) -> str:
        tables = [list(model.m), list(model.u)]
        tables[0 if matches else 1][model.fields.index(field)] = shares
        return model_files.misfit(model, comparisons, *tables)

    area = np.array([0.1, 0.05, 0.84, 0.01])
    namesakes = model.m[model.fields.index("namesakes")][::-1]
    assert judged("postcode", area, matches=False) == (
        "strangers agree in postcode otherwise than in training"
    )
    assert judged("namesakes", namesakes, matches=True) == ""
    assert judged("postcode", model.u[model.fields.index("postcode")], matches=False) == ""


def test_a_few_matches_refuse_no_model() -> None:
    """Whoever has a handful of records is not sent to train on them, however odd they look; with a
    thousand of the same the model is refused."""
    model = mixture.of_fields(_shipped(), ("given", "family", "birth"))
    comparisons = tuple(c for c in PERSON.comparisons if c.field in model.fields)
    tops = [len(c.levels) - 1 for c in comparisons]
    # First names and birth dates agree, last names have a typo.
    patterns = np.array([[tops[0], tops[1] - 1, tops[2]], [0, 0, 0]], dtype=np.int8)
    told = {}
    for pairs in (5, 1000):
        size = 2 * pairs
        counts = np.array([pairs, size * (size - 1) / 2 - pairs])
        found = learning.adapt(
            model, comparisons, PERSON.matches, PERSON.others, size, list(model.u), patterns, counts
        )
        told[pairs] = model_files.misfit(model, comparisons, found.likely, list(model.u))
    assert told[5] == ""
    assert "likely matches agree in" in told[1000]


def test_what_records_are_called_teaches_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever gives records other ids gets the same model and groups, though many of them have too
    little to be told by and stand alone under their ids."""
    rng = random.Random(11)
    rows = town_people(150, seed=11)
    for row in rows:
        if rng.random() < 0.5:
            row.update(dict.fromkeys(("last_name", "email", "phone", "birth_date")))
    town = table_of(rows).drop_columns(["truth"])
    # So few that it matters which strangers are looked at.
    monkeypatch.setattr(training, "RANDOM_PAIRS", 400)
    found = []
    for prefix in ("", "z:"):
        names = [prefix + name for name in town["record_id"].to_pylist()]
        given = town.set_column(0, "record_id", pa.array(names, pa.string()))
        resolved = resolve(given, PERSON, model="train", with_links=False)
        groups: dict[str, set[str]] = {}
        for row in resolved.assignments.to_pylist():
            groups.setdefault(row["entity"], set()).add(row["record_id"].removeprefix(prefix))
        content = model_files.to_dict(resolved.model, PERSON)
        found.append((content, sorted(map(sorted, groups.values()))))
    assert found[0] == found[1]


def test_people_who_moved_are_not_most_of_all() -> None:
    """For whoever has few duplicates: whatever agrees in a name alone does not pass for people who
    moved, however many such pairs a round of learning takes for them."""
    comparisons = tuple(c for c in PERSON.comparisons if c.field in ("given", "family", "city"))
    tops = np.array([[len(c.levels) - 1 for c in comparisons]], dtype=np.int8)
    u = [np.full(len(c.levels), 1 / len(c.levels)) for c in comparisons]
    task = learning._Task(
        comparisons, PERSON.matches, (), 1000, u, np.ones(1), learning._columns(comparisons, tops)
    )
    for moved, kept in ((5000.0, learning.MOVED * 0.1), (50.0, 0.05)):
        pairs = np.array([1e5, 100.0, moved])
        sums = np.zeros((sum(len(c.levels) for c in comparisons), len(pairs)))
        same, found = learning._maximised(task, {}, pairs, sums)[:2]
        assert (same, found) == pytest.approx((0.1, kept))
