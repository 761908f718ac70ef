"""Identity resolution from records to clusters: one machinery for people and companies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from kindred.errors import KindredError
from kindred.identity import (
    blocking,
    clusters,
    deduplicated,
    evidence,
    health,
    junk,
    leniency,
    links,
    model_files,
    records,
    review,
    scoring,
    settling,
    steps,
    stewardship,
    training,
)
from kindred.identity.components import IntArray, components
from kindred.identity.entity import Comparison, Entity
from kindred.identity.kept import COMPONENTS, SAMPLE, KeyArray, nothing_sampled
from kindred.identity.levels import LevelArray, encode
from kindred.identity.mixture import Model
from kindred.identity.reference import Reference, load_reference
from kindred.identity.resolution import Resolution
from kindred.identity.weighing import ClassArray, Scored, Weigher, nothing_scored, rarity_classes

CLOSING_PAIRS_PER_RECORD = 5
# Beyond this many candidate pairs a sample decides on the model, or trains it.
SAMPLED_ABOVE = 2_500_000
# So many of them at least, and less than twice as many.
SAMPLED = 500_000

Tell = Callable[[str], None]


def entity_named(name: str) -> Entity:
    """The settings of `person` or `account`."""
    from kindred.identity.account import ACCOUNT
    from kindred.identity.person import PERSON

    found = {"person": PERSON, "account": ACCOUNT}.get(name)
    if found is None:
        raise KindredError(f"There is no entity '{name}'.", "choose person or account.")
    return found


@dataclass(frozen=True)
class Asked:
    """What a run is asked for.

    model: auto, shipped, train, or the path of a file. cut: None: as the entity's settings and the
    records have it. with_links: whether to tell the links and the review queue. keeps: whether to
    keep what the next run need not find again.
    """

    model: str = "auto"
    cut: float | None = None
    with_links: bool = True
    keeps: bool = False


@dataclass(frozen=True)
class Commons:
    """What all records tell together, where some of them are resolved.

    size: representatives. holders, classes: for the representatives in table `fields` how many hold
    their name, and how rare their values are.
    """

    size: int
    filled: tuple[str, ...]
    rules: blocking.Asked
    model: Model
    choice: str
    first_cut: float
    cut: float
    crowded: KeyArray
    holders: Callable[[], dict[str, IntArray]]
    classes: Callable[[], dict[str, ClassArray]]


@dataclass(frozen=True)
class Found:
    """What `resolve_prepared` found. component, node: of each representative, by number."""

    assignments: pa.Table
    links: pa.Table
    review: pa.Table
    clusters: pa.Table
    components: pa.Table
    component: KeyArray
    node: KeyArray
    draw: KeyArray
    members: records.Members
    size: int
    gone: int
    model: Model
    choice: str
    first_cut: float
    cut: float
    rules: blocking.Asked
    pair_count: int
    every: int
    crowded: KeyArray
    filled: tuple[str, ...]
    sample: pa.Table
    strangers: pa.Table
    totals: dict[str, tuple[int, int]]
    fields: list[tuple[str, str, float]]


def resolve(
    given: pa.Table,
    entity: Entity,
    *,
    identifiers: pa.Table | None = None,
    overrides: pa.Table | None = None,
    reference: Reference | None = None,
    model: str = "auto",
    cut: float | None = None,
    junk_limits: dict[str, int] | None = None,
    deduplicated: Sequence[str] = (),
    largest: int | None = None,
    review_limit: int = review.LIMIT,
    with_links: bool = True,
    tell: Tell = lambda _: None,
) -> Resolution:
    """Resolve `given` records (columns as in the record streams, record_id first) to entities.

    identifiers: record_id, identifier_type, identifier_value. overrides: decision (must_link or
    cannot_link), record_id_l, record_id_r, and author and reason where known. model: auto,
    shipped, train, or the path of a file. deduplicated: beginnings of record ids of
    sources that hold everybody once.
    largest: records beyond which a cluster must hold together closely (default: the entity's).
    review_limit: most rows of the review queue. with_links: whether to tell the links and the
    review queue.
    """
    policy = settling.policy_of(entity.name, overrides, deduplicated, largest, review_limit)
    asked = Asked(model, cut, with_links)
    with records.connect() as con:
        tell("preparing match fields")
        records.prepare(con, given, entity, reference or load_reference())
        decisions = junk.remove_junk(con, entity, junk_limits)
        found = resolve_prepared(con, entity, identifiers, policy, asked, None, tell)
    return resolution_of(found, entity, policy, asked, decisions, junk_limits)


def resolution_of(
    found: Found,
    entity: Entity,
    policy: settling.Policy,
    asked: Asked,
    decisions: pa.Table,
    junk_limits: dict[str, int] | None,
    record_count: int | None = None,
) -> Resolution:
    """The resolution of all records, from what was found of them.

    record_count: how many there are, where only some of them are assigned anew.
    """
    counted = found.assignments.num_rows if record_count is None else record_count
    queue = settling.review_queue(found.review, policy)
    components_of = {
        name: int(found.components[name].to_numpy().sum()) for name in ("strong", "held")
    }
    rules = blocking.used(found.rules)
    version = model_files.version(found.model, entity, asked.model)
    counts = [
        ("representatives", "", float(found.size)),
        ("candidate_pairs", "", float(found.pair_count)),
        ("deterministic_links_between_representatives", "", float(components_of["strong"])),
        ("model", found.choice, 1.0),
        ("model_version", version, 1.0),
        ("cut", "", found.cut),
        *(("blocking_rule_pairs", " + ".join(rule) or "all pairs", float(n)) for rule, n in rules),
        *(("pairs_per_record", kind, share) for kind, share in sorted(found.model.kinds.items())),
    ]
    if asked.with_links:
        counts += health.of_clusters(found.clusters)
        counts += found.fields
    counts += settling.counts(policy, found.gone, components_of["held"], queue)
    told_policy = {
        "junk_limits": junk_limits or {},
        "deduplicated_sources": policy.sources,
        "largest_cluster": policy.largest,
    }
    return Resolution(
        found.assignments, found.links, decisions,
        evidence.numbers(counted, counts, decisions),
        found.model, found.choice, queue,
        model_files.as_table(
            found.model, entity, asked.model, found.choice, found.cut, told_policy
        ),
    )  # fmt: skip


def resolve_prepared(
    con: duckdb.DuckDBPyConnection,
    entity: Entity,
    identifiers: pa.Table | None,
    policy: settling.Policy,
    asked: Asked,
    commons: Commons | None,
    tell: Tell,
) -> Found:
    """Resolve table `prepared`, junk emptied, which is used up.

    commons: what all records together tell, where these are not all (then `prepared` is a view with
    column place); else it is told by these.
    """
    alone = settling.standing_alone(con, policy, entity.content)
    place = "rowid" if commons is None else "place"
    filled = records.collapse(con, entity, alone, may_be_empty=commons is not None, place=place)
    known = con.execute("select node, draw from fields order by n").fetchnumpy()
    node, draw = known["node"], known["draw"]
    size = len(node)
    strong = links.deterministic_links(
        con, entity, identifiers, None if commons is None else commons.crowded
    )
    left, right = strong.links["n_l"].to_numpy(), strong.links["n_r"].to_numpy()
    bonds, gone = settling.bonds_of(con, policy)
    sure_left = np.concatenate([left, bonds.must_left])
    sure_right = np.concatenate([right, bonds.must_right])
    sure = settling.surely_one(size, left, right, bonds)

    tell("comparing pairs")
    comparisons = scoring.usable_comparisons(entity, list(commons.filled) if commons else filled)
    asked_rules: blocking.Asked = []
    blocking.number_fields(con, entity.blocking)
    if commons is not None:
        asked_rules = commons.rules
    elif comparisons:
        asked_rules = blocking.ask_rules(entity, size, lambda rule: blocking.pairs_of(con, rule))
    rules = blocking.used(asked_rules)
    scored = nothing_scored(len(comparisons))
    weigher: Weigher | None = None
    found_model, choice = training.no_model(entity), "no candidate pairs"
    cut = entity.cut if asked.cut is None else asked.cut
    first_cut, fields = cut, []
    sample = strangers = nothing_sampled()
    totals: dict[str, tuple[int, int]] = {}
    every, pair_count, possible = 1, 0, (np.empty(0, np.int64), np.empty(0, np.int64))
    if rules:
        scorer = scoring.Scorer(con, comparisons, commons.holders() if commons else None)
        candidates = blocking.candidates(con, rules, size)
        con.execute("drop table numbers")
        pair_count = len(candidates)
        every = sampled_of(pair_count)
        one, two = candidates // size, candidates % size
        open_pairs = sure[one] != sure[two]
        if commons is None:
            sampled = share_of(draw[one] ^ draw[two], every)
            wanted = sampled | open_pairs
            levels = np.empty((pair_count, len(scorer.compared)), np.int8)
            levels[wanted] = scorer.compare(one[wanted], two[wanted])
            tell("choosing the model")
            sample_levels = scorer.with_holders(levels[sampled], one[sampled])
            totals = training.totals_of(con, comparisons)
            seen = training.seen_of(
                encode(sample_levels, comparisons), comparisons, every, totals, size
            )
            checked = cache(lambda: training.checked_strangers(scorer, draw))
            found_model, choice = training.choose_model(
                entity, comparisons, seen,
                training.strangers_of(scorer, size, lambda: checked()[2], totals), asked.model,
            )  # fmt: skip
            if asked.cut is None:
                first_cut = training.cut_of(entity, comparisons, found_model)
            cut = first_cut
            if asked.with_links:
                fields = health.of_fields(comparisons, seen, found_model)
            if asked.keeps:
                named = con.execute(
                    f"select {records.name_of(entity)} as named from fields order by n"
                ).fetchnumpy()["named"].astype(np.uint64)  # fmt: skip
                sample = sample_of(
                    node, named, one[sampled], two[sampled], sample_levels, comparisons
                )
                if asked.model == "auto":
                    *ends, looked_at = checked()
                    strangers = sample_of(
                        draw, named, *in_order(draw, *ends), looked_at, comparisons
                    )
            classes, of_all = rarity_classes(con, comparisons), size
            open_levels = levels[open_pairs]
        else:
            found_model, choice = commons.model, commons.choice
            first_cut = cut = commons.first_cut
            classes, of_all = commons.classes(), commons.size
            open_levels = scorer.compare(one[open_pairs], two[open_pairs])
        weigher = Weigher(found_model, entity, comparisons, classes, of_all)

        tell("weighing pairs")
        scored = _weighed(scorer, weigher, candidates[open_pairs], size, open_levels)
        closing, possible = clusters.missing_pairs(
            size,
            np.concatenate([scored.left, sure_left]),
            np.concatenate([scored.right, sure_right]),
            np.concatenate([scored.weight, np.full(len(sure_left), clusters.CERTAIN)]),
            cut,
            closing_budget(entity, of_all),
            sure,
        )
        closing_levels = scorer.compare(closing // size, closing % size)
        scored = scored + _weighed(scorer, weigher, closing, size, closing_levels)

    tell("forming clusters")
    weights = np.where(scored.silent, clusters.SILENT, scored.weight)
    layers = [
        (scored.left, scored.right, weights),
        (left, right, np.full(len(left), clusters.CERTAIN)),
    ]
    known_pairs = settling.overlay(size, layers)
    formed_at = _formed_at(asked, cut)
    formed = clusters.cluster(size, *known_pairs, formed_at)
    inside, disagree = np.empty(0, np.int64), np.empty(0, dtype=bool)
    if asked.cut is None and weigher is not None:
        inside, disagree = leniency.disagreeing(formed, *known_pairs, weigher.start)
        if commons is None:
            share = leniency.disagreement(len(inside), int(disagree.sum()))
            cut = leniency.lowered(entity, cut, share)
        else:
            cut = commons.cut
    if cut != formed_at:
        formed = clusters.cluster(size, *known_pairs, cut)
    settled = settling.settle(
        con, formed, known_pairs, cut, bonds, policy.largest, scored.told_apart(comparisons)
    )
    labels = settled.labels

    # What lies in other components has no say in what becomes of these.
    close = (weights >= reach(asked, cut)) & ~scored.silent
    twin_left, twin_right = deduplicated.twins(draw, bonds.marked)
    together = components(
        size,
        np.concatenate([scored.left[close], strong.left, sure_left, bonds.cannot_left, twin_left]),
        np.concatenate(
            [scored.right[close], strong.right, sure_right, bonds.cannot_right, twin_right]
        ),
    )
    first_node = np.full(size, np.iinfo(np.uint64).max, np.uint64)
    np.minimum.at(first_node, together, node)
    component = first_node[together]

    members = records.members_of(con)
    told, rows = evidence.no_links(), settling.no_review_rows()
    hung = health.no_clusters()
    if asked.with_links:
        tell("telling the links")
        within = labels[scored.left] == labels[scored.right]
        likely = scored.where(within & (scored.weight >= cut))
        must = policy.pairs(stewardship.MUST)

        def tell_links() -> pa.Table:
            return evidence.links(
                members, labels, component, strong.links, must,
                evidence.weighed_links(weigher, likely),
                links.rules_version(entity),
                model_files.version(found_model, entity, asked.model),
            )  # fmt: skip

        # One core joins the links while the other looks for what is worth a steward's minute.
        with ThreadPoolExecutor(max_workers=1) as beside:
            telling = beside.submit(tell_links)
            forest = review.forest_of(settling.judged(settled), cut)
            hung = health.by_cluster(labels, settled.records, forest, component)
            rows = settling.review_rows(
                con, settled, policy, bonds, cut, forest, node, component,
                lambda pairs: evidence.weighed_links(
                    weigher, scored.where(np.isin(scored.left * size + scored.right, pairs))
                ),
            )  # fmt: skip
            told = telling.result()
    held = np.unique(settled.whole[settled.labels != settled.whole])
    first = members.first_of(labels)
    return Found(
        assignments=pa.table(
            {
                "record_id": members.record_ids,
                "entity": members.record_ids.take(pa.array(first[labels[members.n]])),
                "component": component[members.n],
            }
        ),
        links=told,
        review=rows,
        clusters=hung,
        components=_by_component(component, left, possible, inside, inside[disagree], held),
        component=component,
        node=node,
        draw=draw,
        members=members,
        size=size,
        gone=gone,
        model=found_model,
        choice=choice,
        first_cut=first_cut,
        cut=cut,
        rules=asked_rules,
        pair_count=pair_count,
        every=every,
        crowded=strong.crowded,
        filled=tuple(filled),
        sample=sample,
        strangers=strangers,
        totals=totals,
        fields=fields,
    )


def sample_of(
    node: KeyArray, named: KeyArray, left: IntArray, right: IntArray, levels: LevelArray,
    comparisons: tuple[Comparison, ...],
) -> pa.Table:  # fmt: skip
    """Sampled pairs by content (columns: kindred.identity.kept.SAMPLE); named: a hash of the values
    that a pair shares where it is asked how many hold them."""
    shared = np.zeros(len(left), dtype=bool)
    for i, comparison in enumerate(comparisons):
        if comparison.holders_of:
            shared |= levels[:, i] >= 0
    return pa.table(
        {
            "left": node[left],
            "right": node[right],
            "code": encode(levels, comparisons),
            "named": np.where(shared, named[left], np.uint64(0)),
        },
        schema=pa.schema(list(SAMPLE.items())),
    )


def in_order(content: KeyArray, left: IntArray, right: IntArray) -> tuple[IntArray, IntArray]:
    """Pairs, each with the lower content first."""
    swapped = content[left] > content[right]
    return np.where(swapped, right, left), np.where(swapped, left, right)


def _weighed(
    scorer: scoring.Scorer, weigher: Weigher, pairs: IntArray, size: int, compared: LevelArray
) -> Scored:
    """Compared pairs (l * size + r) with their weights."""
    left, right = pairs // size, pairs % size
    levels = scorer.with_holders(compared, left)
    weight, silent = weigher.weigh(levels, left)
    return Scored(left, right, levels, weight, silent)


def _formed_at(asked: Asked, cut: float) -> float:
    """The cut at which clusters are formed first, to see how their records disagree."""
    return leniency.CAREFUL if asked.cut is None else cut


def reach(asked: Asked, cut: float) -> float:
    """The weight from which on a pair has a say in what becomes of its clusters, or is shown."""
    return min(cut, _formed_at(asked, cut)) - review.NEAR


def sampled_of(pairs: int) -> int:
    """One in how many candidate pairs is in the sample that decides on the model."""
    return 1 if pairs <= SAMPLED_ABOVE else steps.one_in(pairs, SAMPLED)


def closing_budget(entity: Entity, size: int) -> int:
    """The most pairs that are compared to close components of so many representatives."""
    return max(entity.least_pairs, CLOSING_PAIRS_PER_RECORD * size)


def _by_component(
    component: KeyArray, strong: IntArray, closing: tuple[IntArray, IntArray], inside: IntArray,
    disagreeing: IntArray, held: IntArray,
) -> pa.Table:  # fmt: skip
    """Counts of each component (columns: kindred.identity.kept.COMPONENTS), from nodes."""
    found, of_node = np.unique(component, return_inverse=True)
    counted = {
        "strong": np.bincount(of_node[strong], minlength=len(found)),
        "closing": np.bincount(of_node[closing[0]], closing[1], minlength=len(found)),
        "inside": np.bincount(of_node[inside], minlength=len(found)),
        "disagreeing": np.bincount(of_node[disagreeing], minlength=len(found)),
        "held": np.bincount(of_node[held], minlength=len(found)),
    }
    table = pa.table(
        {"component": found, **{name: x.astype(np.int64) for name, x in counted.items()}}
    )
    said = np.logical_or.reduce([x > 0 for x in counted.values()])
    return table.filter(pa.array(said)).cast(pa.schema(list(COMPONENTS.items())))


def share_of(mixed: KeyArray, every: int) -> npt.NDArray[np.bool_]:
    """One in `every` of the pairs, chosen by the content of their records alone."""
    if every == 1:
        return np.ones(len(mixed), dtype=bool)
    spread = (mixed * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(33)
    return np.asarray(spread % np.uint64(every) == 0)
