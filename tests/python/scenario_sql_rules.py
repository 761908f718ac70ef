"""The rules of ids that live in SQL: which scenarios need them, and how each is disabled.

A rule is disabled by other text in the SQL of a model. `{entity}` is person or account, `{base}`
customer or account: all rules hold for both.
"""

from __future__ import annotations

from dataclasses import dataclass

ENTITIES = {"person": "customer", "account": "account"}
# What a run asks that finds the table of a model there.
AGAIN = "{}_again"


@dataclass(frozen=True)
class Edit:
    """A text that stands once in a model's compiled SQL, and what to write instead."""

    model: str
    old: str
    new: str

    def of(self, entity: str) -> Edit:
        """The edit for person or account."""
        names = {"{entity}": entity, "{base}": ENTITIES[entity]}
        found = [self.model, self.old, self.new]
        for name, value in names.items():
            found = [text.replace(name, value) for text in found]
        return Edit(*found)


_RECORDS, _DECISIONS = "int_{entity}_match_records", "int_{entity}_overrides"
_PRIOR, _KNOWN = "int_{entity}_ids_prior", "int_{entity}_known_ids_prior"
_IDS, _LEDGER = "int_{entity}_ids", "int_{entity}_id_ledger"
_MAP = "{base}_id_map"
_IDS_AGAIN = AGAIN.format(_IDS)

# What is matched at all.
RECORD_RULES: dict[str, tuple[Edit, ...]] = {
    "test records are left out": (Edit(_RECORDS, "not coalesce(is_test, false)", "true"),),
    "deleted records are left out": (Edit(_RECORDS, "not coalesce(is_deleted, false)", "true"),),
    "a decision begins": (
        Edit(_DECISIONS, "cast(overrides.valid_from as timestamp) <= this_run.as_of", "true"),
    ),
    "a decision ends": (
        Edit(_DECISIONS, "cast(overrides.valid_to as timestamp) > this_run.as_of", "true"),
    ),
}

# Who inherits an id, what the ledger tells, where an id leads.
ID_RULES: dict[str, tuple[Edit, ...]] = {
    "records that are gone keep their id": (
        Edit(_PRIOR, "coalesce(to_id, from_id) as", "to_id as"),
    ),
    "a killed run never happened": (
        Edit(_PRIOR, "inner join finished on", "left join finished on"),
    ),
    "an id has one heir": (Edit(_IDS, "heirs.choice = 1", "true"),),
    "who stayed keeps the id": (Edit(_IDS, "parts.present_count desc,", ""),),
    "the larger part keeps the id": (
        Edit(_IDS, "parts.present_count desc,", ""),
        Edit(_IDS, "parts.record_count desc,", ""),
    ),
    "of equal parts that of the first record keeps the id": (
        Edit(_IDS, "cluster_names.first_record_id asc", "cluster_names.first_record_id desc"),
    ),
    "of ids that meet the oldest stays": (Edit(_IDS, "claims.created_generation asc,", ""),),
    "of equally old ids that with most records stays": (
        Edit(_IDS, "claims.record_count desc,", "claims.record_count asc,"),
    ),
    "a new id was never given before": (
        Edit(
            _IDS,
            "cast(this_run.generation as text) as text)), 1, 16) as first_choice",
            "'' as text)), 1, 16) as first_choice",
        ),
        Edit(_IDS, "else proposed.second_choice", "else proposed.first_choice"),
    ),
    "a merged id is never given again": (
        Edit(_IDS, "and not coalesce(known_ids.is_merged, false)", ""),
    ),
    "a retired id follows its records": (
        Edit(_LEDGER, "not coalesce(known_ids.is_merged, false)", "moved.was_present"),
    ),
    "of equal parts a merge follows that of the first record": (
        Edit(_LEDGER, "ids_now.first_record_id asc", "ids_now.first_record_id desc"),
    ),
    "a retirement is told": (
        Edit(_LEDGER, "select * from retired", "select * from retired where false"),
    ),
    "a merge is told": (Edit(_LEDGER, "largest_flows.place = 1", "false"),),
    "a part that leaves is told": (Edit(_LEDGER, "flows.from_id <> flows.to_id", "false"),),
    "a record that left is told": (
        Edit(_LEDGER, "from moved\n    where to_id is null", "from moved\n    where false"),
    ),
    "the map follows merges to their end": (
        Edit(_MAP, "hops.hop_count < 1000", "hops.hop_count < 1"),
    ),
}
# Clusters whose ids have to be chosen; the others keep the one they have.
OPEN_CLUSTERS: dict[str, tuple[Edit, ...]] = {
    "of a merged id": (Edit(_IDS, "where is_merged", "where false"),),
    "of a torn id": (Edit(_IDS, "having count(*) > 1\n    union", "having false\n    union"),),
    "of several ids": (
        Edit(_IDS, "having count(*) > 1 or count(prior_id) = 0", "having count(prior_id) = 0"),
    ),
    "of new records": (
        Edit(_IDS, "having count(*) > 1 or count(prior_id) = 0", "having count(*) > 1"),
    ),
}
# What is asked where the table of ids is there; the rest of it stays as it is.
DIFFERENCES: dict[str, tuple[Edit, ...]] = {
    "clusters that a record came to": (
        Edit(_IDS_AGAIN, "where cluster_label is not null", "where false"),
    ),
    "clusters that have an id of a record that moved": (
        Edit(
            _IDS_AGAIN, "where placed_now.placement in", "where false and placed_now.placement in"
        ),
    ),
    "ids of records that come back": (
        Edit(
            _IDS_AGAIN,
            "select {base}_id\n    from known_from_ledger",
            "select {base}_id\n    from known_from_ledger\n    where false",
        ),
    ),
    "records that are gone": (Edit(_IDS_AGAIN, "gone.record_before is not null", "false"),),
    "whether a killed run wrote the table": (
        Edit(
            _IDS_AGAIN,
            "        coalesce(\n            (\n",
            "        true or coalesce(\n            (\n",
        ),
    ),
}

SQL_RULES = {**RECORD_RULES, **ID_RULES}
