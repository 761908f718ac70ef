"""Identity resolution from records to clusters: one machinery for people and companies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from kindred.errors import KindredError
from kindred.identity import (
    blocking,
    clusters,
    compared,
    evidence,
    health,
    junk,
    leniency,
    links,
    mixture,
    model_files,
    records,
    review,
    scoring,
    settling,
    stewardship,
    training,
)
from kindred.identity.components import IntArray
from kindred.identity.entity import Entity
from kindred.identity.reference import Reference, load_reference
from kindred.identity.resolution import Resolution
from kindred.identity.weighing import Scored, Weigher, nothing_scored, rarity_classes

CLOSING_PAIRS_PER_RECORD = 5
# Beyond this many candidate pairs a sample decides on the model, or trains it.
SAMPLED_ABOVE = 2_500_000
SAMPLE = 500_000

Tell = Callable[[str], None]


def entity_named(name: str) -> Entity:
    """The settings of `person` or `account`."""
    from kindred.identity.account import ACCOUNT
    from kindred.identity.person import PERSON

    found = {"person": PERSON, "account": ACCOUNT}.get(name)
    if found is None:
        raise KindredError(f"There is no entity '{name}'.", "choose person or account.")
    return found


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
    earlier: pa.Table | None = None,
    deduplicated: Sequence[str] = (),
    largest: int | None = None,
    review_limit: int = review.LIMIT,
    with_links: bool = True,
    tell: Tell = lambda _: None,
) -> Resolution:
    """Resolve `given` records (columns as in the record streams, record_id first) to entities.

    identifiers: record_id, identifier_type, identifier_value. overrides: decision (must_link or
    cannot_link), record_id_l, record_id_r, and author and reason where known. model: auto,
    shipped, train, or the path of a file. earlier: `compared` of an earlier run, which saves
    comparing its pairs again and changes nothing else. deduplicated: beginnings of record ids of
    sources that hold everybody once.
    largest: records beyond which a cluster must hold together closely (default: the entity's).
    review_limit: most rows of the review queue. with_links: whether to tell the links and the
    review queue, and what the next run may recall.
    """
    policy = settling.policy_of(entity.name, overrides, deduplicated, largest, review_limit)
    with records.connect() as con:
        return _resolve(
            con, given, entity, identifiers, policy, reference, model,
            cut, junk_limits, earlier, with_links, tell,
        )  # fmt: skip


def _resolve(
    con: duckdb.DuckDBPyConnection,
    given: pa.Table,
    entity: Entity,
    identifiers: pa.Table | None,
    policy: settling.Policy,
    reference: Reference | None,
    model: str,
    asked_cut: float | None,
    junk_limits: dict[str, int] | None,
    earlier: pa.Table | None,
    with_links: bool,
    tell: Tell,
) -> Resolution:
    tell("preparing match fields")
    records.prepare(con, given, entity, reference or load_reference())
    decisions = junk.remove_junk(con, entity, junk_limits)
    alone = settling.standing_alone(con, policy, entity.fields)
    filled = records.collapse(con, entity, alone)
    known = con.execute("select key, draw from fields order by n").fetchnumpy()
    keys, draw = known["key"], known["draw"]
    size = len(keys)
    strong = links.deterministic_links(con, entity, identifiers)
    left, right = strong["n_l"].to_numpy(), strong["n_r"].to_numpy()
    bonds, gone = settling.bonds_of(con, policy)
    sure_left = np.concatenate([left, bonds.must_left])
    sure_right = np.concatenate([right, bonds.must_right])
    sure = settling.surely_one(size, left, right, bonds)

    tell("comparing pairs")
    comparisons = scoring.usable_comparisons(entity, filled)
    rules = blocking.choose_rules(con, entity) if comparisons else []
    scored = nothing_scored(len(comparisons))
    weigher: Weigher | None = None
    found_model, choice = training.no_model(entity), "no candidate pairs"
    cut = entity.cut if asked_cut is None else asked_cut
    if rules:
        scorer = scoring.Scorer(con, comparisons)
        settings = compared.fingerprint(scorer.compared, scorer.settings)
        memory = compared.Memory(keys, compared.from_table(earlier), settings)
        candidates = memory.candidates(
            rules, lambda fresh: blocking.candidates(con, rules, size, fresh)
        )  # fmt: skip
        every = 1 if len(candidates) <= SAMPLED_ABOVE else -(-len(candidates) // SAMPLE)
        one, two = candidates // size, candidates % size
        sampled = _share(draw[one] ^ draw[two], every)
        open_pairs = sure[one] != sure[two]
        wanted = sampled | open_pairs
        code = np.full(len(candidates), compared.NOT_COMPARED, dtype=np.int64)
        code[wanted] = compared.levels_of(
            candidates[wanted], memory, scorer.compared, scorer.compare
        )
        tell("choosing the model")
        sample = scorer.with_holders(
            compared.decode(code[sampled], scorer.compared), one[sampled]
        )  # fmt: skip
        found_model, choice = training.choose_model(
            con, entity, scorer, sample, every, size, model
        )  # fmt: skip
        if asked_cut is None:
            cut = training.cut_of(entity, comparisons, found_model)
        weigher = Weigher(found_model, entity, comparisons, rarity_classes(con, comparisons), size)

        tell("weighing pairs")
        scored = _weighed(scorer, weigher, candidates[open_pairs], code[open_pairs])
        closing = clusters.missing_pairs(
            size,
            np.concatenate([scored.left, sure_left]),
            np.concatenate([scored.right, sure_right]),
            np.concatenate([scored.weight, np.full(len(sure_left), clusters.CERTAIN)]),
            cut,
            max(entity.least_pairs, CLOSING_PAIRS_PER_RECORD * size),
            sure,
        )
        closing_code = compared.levels_of(closing, memory, scorer.compared, scorer.compare)
        scored = scored + _weighed(scorer, weigher, closing, closing_code)

    tell("forming clusters")
    weights = np.where(scored.silent, clusters.SILENT, scored.weight)
    layers = [
        (scored.left, scored.right, weights),
        (left, right, np.full(len(left), clusters.CERTAIN)),
    ]
    known_pairs = settling.overlay(size, layers)
    formed_at = leniency.CAREFUL if asked_cut is None else cut
    formed = clusters.cluster(size, *known_pairs, formed_at)
    if asked_cut is None and weigher is not None:
        start = mixture.starting_weight(found_model, entity.matches, size)
        cut = leniency.lowered(entity, cut, leniency.disagreement(formed, *known_pairs, start))
    if cut != formed_at:
        formed = clusters.cluster(size, *known_pairs, cut)
    settled = settling.settle(
        con, formed, known_pairs, cut, bonds, policy.largest, scored.told_apart(comparisons)
    )
    labels = settled.labels
    members = records.members_of(con)
    assignments = pa.table(
        {
            "record_id": members.record_ids,
            "entity": pa.array(labels[members.n]).cast(pa.string()),
        }
    )
    counts = [
        ("representatives", "", float(size)),
        ("candidate_pairs", "", float(len(candidates) if rules else 0)),
        ("deterministic_links_between_representatives", "", float(strong.num_rows)),
        ("model", choice, 1.0),
        ("model_version", model_files.version(found_model, entity, model), 1.0),
        ("cut", "", cut),
        *(("blocking_rule_pairs", " + ".join(rule) or "all pairs", float(n)) for rule, n in rules),
        *(("pairs_per_record", kind, share) for kind, share in sorted(found_model.kinds.items())),
    ]
    told, queue = evidence.no_links(), settling.no_review()
    kept = pa.table({})
    if with_links:
        tell("telling the links")
        inside = labels[scored.left] == labels[scored.right]
        likely = scored.where(inside & (scored.weight >= cut))
        must = policy.pairs(stewardship.MUST)

        def tell_links() -> pa.Table:
            return evidence.links(
                members, labels, strong, must, evidence.weighed_links(weigher, likely),
                links.rules_version(entity), model_files.version(found_model, entity, model),
            )  # fmt: skip

        # One core joins the links while the other looks for what is worth a steward's minute.
        with ThreadPoolExecutor(max_workers=1) as beside:
            telling = beside.submit(tell_links)
            forest = review.forest_of(settling.judged(settled), cut)
            counts += health.of_clusters(labels, settled.records, forest)
            queue = settling.review_queue(
                con, settled, policy, bonds, cut, forest,
                lambda pairs: evidence.weighed_links(
                    weigher, scored.where(np.isin(scored.left * size + scored.right, pairs))
                ),
            )  # fmt: skip
            told = telling.result()
        if rules:
            counts += health.of_fields(con, comparisons, sample, found_model)
            kept = compared.to_table(
                memory.keep(
                    settings,
                    rules,
                    np.concatenate([candidates, closing]),
                    np.concatenate([code, closing_code]),
                    np.arange(len(candidates) + len(closing)) < len(candidates),
                )
            )
    counts += settling.counts(settled, policy, gone, queue)
    told_policy = {
        "junk_limits": junk_limits or {},
        "deduplicated_sources": policy.sources,
        "largest_cluster": policy.largest,
    }
    return Resolution(
        assignments, told, decisions, evidence.numbers(len(members.n), counts, decisions), kept,
        found_model, choice, queue,
        model_files.as_table(found_model, entity, model, choice, cut, told_policy),
    )  # fmt: skip


def _weighed(scorer: scoring.Scorer, weigher: Weigher, pairs: IntArray, code: IntArray) -> Scored:
    """Compared pairs (l * size + r) with their weights."""
    left, right = pairs // weigher.size, pairs % weigher.size
    levels = scorer.with_holders(compared.decode(code, scorer.compared), left)
    weight, silent = weigher.weigh(levels, left)
    return Scored(left, right, levels, weight, silent)


def _share(mixed: compared.KeyArray, every: int) -> npt.NDArray[np.bool_]:
    """One in `every` of the pairs, chosen by the content of their records alone."""
    if every == 1:
        return np.ones(len(mixed), dtype=bool)
    spread = (mixed * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(33)
    return np.asarray(spread % np.uint64(every) == 0)
