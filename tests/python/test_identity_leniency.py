"""Where one person's records contradict each other as a rule, less holds them together."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from identity_town import FAMILY, GIVEN, people, record, table_of
from kindred.identity import clusters, leniency, metrics
from kindred.identity.entity import Entity
from kindred.identity.person import PERSON
from kindred.identity.pipeline import Resolution, resolve

START = -12.0
# A chain of three: its ends have little in common, its links much.
CHAIN = (np.array([0, 1, 0]), np.array([1, 2, 2]), np.array([9.0, 9.0, -7.0]))
# The same person's records, every pair of which has much in common.
AGREED = (CHAIN[0], CHAIN[1], np.array([9.0, 9.0, 4.0]))


def _repeated(pattern: tuple[np.ndarray, ...], times: int) -> tuple[int, tuple[np.ndarray, ...]]:
    left, right, weight = pattern
    shift = 3 * np.repeat(np.arange(times), len(left))
    return 3 * times, (
        np.tile(left, times) + shift,
        np.tile(right, times) + shift,
        np.tile(weight, times),
    )


def _disagreement(
    size: int, left: np.ndarray, right: np.ndarray, weight: np.ndarray, start: float
) -> float:
    labels = clusters.cluster(size, left, right, weight, leniency.CAREFUL)
    inside, disagree = leniency.disagreeing(labels, left, right, weight, start)
    return leniency.disagreement(len(inside), int(disagree.sum()))


def test_pairs_that_disagree_with_their_own_cluster_are_counted() -> None:
    """Of a thousand chains a third of the pairs; of a dozen, hardly more than is usual."""
    size, pairs = _repeated(CHAIN, 1000)
    assert _disagreement(size, *pairs, START) == pytest.approx(1009 / 6000)
    size, pairs = _repeated(AGREED, 1000)
    assert _disagreement(size, *pairs, START) == pytest.approx(9 / 6000)
    size, pairs = _repeated(CHAIN, 12)
    assert _disagreement(size, *pairs, START) < 0.007


def test_how_many_records_there_are_makes_no_disagreement() -> None:
    """Among more records every pair weighs less; what two records have in common stays."""
    size, (left, right, weight) = _repeated(AGREED, 1000)
    more = _disagreement(size, left, right, weight - 4.5, START - 4.5)
    assert more == _disagreement(size, left, right, weight, START)


def test_what_rules_or_stewards_say_is_no_disagreement() -> None:
    """Certain pairs, those that are forbidden and those that say nothing do not count."""
    left, right, _ = CHAIN
    size, pairs = _repeated((left, right, np.array([9.0, clusters.CERTAIN, clusters.SILENT])), 1000)
    assert _disagreement(size, *pairs, START) == pytest.approx(9 / 4000)


def test_the_cut_goes_down_in_proportion_and_never_up() -> None:
    """Clean records keep the usual cut, very dirty ones get the lowest, and a model that already
    found the records dirty is not overruled."""
    assert leniency.lowered(PERSON, PERSON.cut, 0.003) == PERSON.cut
    assert leniency.lowered(PERSON, -2.5, 0.003) == -2.5
    assert leniency.lowered(PERSON, PERSON.cut, 0.3) == PERSON.lowest_cut
    assert leniency.lowered(PERSON, PERSON.cut, 0.01) == pytest.approx(-3.0)


def _registers() -> pa.Table:
    """People as many registers write them: four to nine records each, in which birth dates, first
    names and postcodes differ more often than not."""
    rng = random.Random(6)
    rows = []
    for i in range(400):
        first, second = rng.sample(GIVEN, 2)
        last = rng.choice(FAMILY) + rng.choice(("", "mann", "er", "son", "berg"))
        born = [rng.randint(1900, 1990), rng.randint(1, 12), rng.randint(1, 28)]
        city, outcode = f"{rng.choice(GIVEN)}stadt", rng.randint(100, 999)
        for copy in range(rng.randint(4, 9)):
            year, month, day = born
            if rng.random() < 0.4:
                month, day = rng.choice(((1, 1), (month, rng.randint(1, 28))))
            if rng.random() < 0.25:
                year += rng.choice((-10, -1, 1, 2, 10))
            values: dict[str, str | None] = {
                "first_name": rng.choice((first, first, first, second, first[0])),
                "last_name": last if rng.random() < 0.8 else last[:2] + last[3:],
                "birth_date": f"{year}-{month:02}-{day:02}",
                "city": city if rng.random() < 0.8 else f"{rng.choice(GIVEN)}stadt",
                "postcode": f"{outcode}{rng.randint(10, 99)}",
            }
            for name in ("first_name", "birth_date", "city", "postcode"):
                if rng.random() < 0.2:
                    values[name] = None
            rows.append(record(f"r{i}-{copy}", f"p{i}", **values))
    return table_of(rows)


def _found(town: pa.Table, entity: Entity = PERSON) -> tuple[Resolution, metrics.Score]:
    filled = [c for c in town.column_names if c != "truth" and town[c].null_count < town.num_rows]
    found = resolve(town.select(filled), entity, with_links=False)
    truth = pa.table({"record_id": town["record_id"], "entity": town["truth"]})
    return found, metrics.bcubed(found.assignments, truth)


def test_people_of_many_contradicting_records_stay_whole() -> None:
    """Held to the usual cut, such people are torn; the lower one joins them and few strangers."""
    town = _registers()
    found, kept = _found(town)
    assert found.weighed_by["value"][0].as_py() < -4
    _, torn = _found(town, replace(PERSON, lowest_cut=PERSON.cut))
    assert kept.recall > torn.recall + 0.05
    assert kept.precision > 0.97


def test_clean_records_keep_the_usual_cut() -> None:
    """The share of pairs that disagree is small there, and the run tells the cut it used."""
    found, _ = _found(table_of(people(300)))
    assert found.weighed_by["value"][0].as_py() == PERSON.cut
