"""Evidence and health of a run: what made each link, and what the figures of a run say."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from identity_town import TRAPS, people, table_of
from kindred.identity import health, links, model_files, review, training
from kindred.identity.clusters import CERTAIN
from kindred.identity.components import components
from kindred.identity.entity import Comparison, Level, Rule
from kindred.identity.mixture import Model
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


def _joined(edges: Iterable[tuple[Any, Any]], start: Any) -> set[Any]:
    """All that can be reached from `start`."""
    near = defaultdict(set)
    for one, two in edges:
        near[one].add(two)
        near[two].add(one)
    seen, queue = {start}, [start]
    for here in queue:
        for there in near[here] - seen:
            seen.add(there)
            queue.append(there)
    return seen


def _counts(found: health.Counts, metric: str) -> dict[str, float]:
    return {dimension: value for name, dimension, value in found if name == metric}


@pytest.mark.parametrize("seed", range(12))
def test_what_clusters_hang_on_is_what_their_removal_shows(seed: int) -> None:
    """Whoever reads bridges and weakest links reads what taking away one link after another would
    show, by the size of the customer; rules hold and are never counted."""
    rng = np.random.default_rng(seed)
    size = 60
    left, right = np.triu_indices(size, 1)
    kept = rng.random(len(left)) < 0.022
    left, right = left[kept].astype(np.int64), right[kept].astype(np.int64)
    weight = np.round(rng.uniform(-1, 24, len(left)), 3)
    weight[rng.random(len(left)) < 0.3] = CERTAIN
    records = rng.integers(1, 4, size)
    labels = components(size, left, right)
    judged = review.Judged(left, right, weight, records, labels, labels)
    component = labels.astype(np.uint64)
    hung = health.by_cluster(labels, records, review.forest_of(judged, -2.0), component)
    # In whatever order components are told: one that is told anew comes last.
    found = health.of_clusters(hung.take(pa.array(rng.permutation(hung.num_rows))))

    edges = list(zip(left.tolist(), right.tolist(), weight.tolist(), strict=True))
    of_cluster = Counter(np.repeat(labels, records).tolist())
    bridges: Counter[str] = Counter()
    weak = 0
    weakest: dict[int, float] = {}
    for one, two, points in edges:
        if points >= CERTAIN:
            continue
        rest = [(a, b) for a, b, w in edges if (a, b) != (one, two)]
        if two not in _joined(rest, one):
            count = of_cluster[int(labels[one])]
            bridges["2345"[count - 2] if count <= 5 else "6-10" if count <= 10
                    else "11-25" if count <= 25 else "over 25"] += 1  # fmt: skip
            weak += points < 10
        stronger = [(a, b) for a, b, w in edges if w > points]
        if two not in _joined(stronger, one):
            cluster = int(labels[one])
            weakest[cluster] = min(points, weakest.get(cluster, np.inf))
    assert {k: v for k, v in _counts(found, "bridges").items() if v} == dict(bridges)
    assert _counts(found, "weak_bridges") == {"": weak}
    several = [cluster for cluster, count in of_cluster.items() if count > 1]
    classes = Counter(
        "certain" if w is None else "below 0" if w < 0 else "0 to 5" if w < 5
        else "5 to 10" if w < 10 else "10 to 20" if w < 20 else "over 20"
        for w in (weakest.get(cluster) for cluster in several)
    )  # fmt: skip
    told = _counts(found, "entities_by_weakest_link")
    assert {k: v for k, v in told.items() if v} == dict(classes)
    ordered = sorted(weakest.values())
    assert _counts(found, "weakest_link_percentile") == {
        str(share): ordered[len(ordered) * share // 100] for share in (0, 5, 25, 50)
    }


def test_bridges_are_those_of_the_published_links(resolved: Resolution) -> None:
    """Whoever counts in identity_links finds the bridges that the run tells: weighed links without
    which two records of a customer would no longer be led to each other."""
    told = resolved.links.to_pylist()
    edges = [(link["record_id_l"], link["record_id_r"]) for link in told]
    bridges = 0
    for place, (one, two) in enumerate(edges):
        rest = [edge for i, edge in enumerate(edges) if i != place]
        if told[place]["link_type"] == "probabilistic" and two not in _joined(rest, one):
            bridges += 1
    rows = resolved.numbers.to_pylist()
    assert bridges > 10
    assert bridges == sum(row["value"] for row in rows if row["metric_name"] == "bridges")


def test_drift_is_told_against_the_training(resolved: Resolution) -> None:
    """Whoever watches a model sees by how much the fill of a field and the likeness of pairs lie
    from the training; a model trained on the run itself drifts nowhere."""
    same = Level("same", "true", 0.9)
    other = Level("different", "true", 0.1)
    comparisons = (Comparison("email", "email", (same, other)),)
    about = {"fill": {"email": 0.5}, "likely": {"email": [0.25, 0.75]}}
    nothing = (np.array([0.5, 0.5]),)
    model = Model(("email",), nothing, nothing, {}, {}, about)
    seen = training.Seen(
        np.array([[-1], [1]], dtype=np.int8), np.array([2.0, 6.0]), {"email": 0.75}, 4
    )
    found = health.of_fields(comparisons, seen, model)
    bare = health.of_fields(comparisons, seen, replace(model, about={}))
    assert {name + "/" + what: value for name, what, value in found} == {
        "field_fill/email": 0.75,
        "drift_of_fill/email": 0.25,
        "level_share/email: nothing to compare": 0.25,
        "level_share/email: different": 0.0,
        "level_share/email: same": 0.75,
        "drift_of_levels/email": 0.25,
    }
    assert not [row for row in bare if row[0].startswith("drift")]
    numbers = resolved.numbers.to_pylist()
    drifts = [row["value"] for row in numbers if row["metric_name"].startswith("drift")]
    assert len(drifts) > 10
    assert set(drifts) == {0.0}


def test_the_model_of_a_run_is_kept(resolved: Resolution) -> None:
    """Whoever opens a later report can read back the very model that weighed."""
    (row,) = resolved.weighed_by.to_pylist()
    model = model_files.from_dict(json.loads(row["settings"]), PERSON, "the run's model")
    assert model_files.version(model, PERSON, "train") == row["model_version"]
    assert model.kinds == resolved.model.kinds
    assert row["value"] == PERSON.cut
    assert row["reason"] == resolved.model_choice
