"""What differs between two states of identity: a base database and a candidate.

Customers have no names of their own to compare by: they are compared as sets of records. Where
their ids matter (segments, consent, published reports), ids of the base are first led forward by
the candidate's id map, so that a customer who merged is not counted as lost.

Everything is counted in SQL over the two attached files; only totals and a few examples, all
without personal values, come back to Python.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from kindred.errors import KindredError
from kindred.identity import diff_consent, diff_examples, diff_flows, diff_segments
from kindred.identity.diff_changes import ENTITIES, Diff, Side
from kindred.identity.diff_sides import BASE, CANDIDATE, attached, read_side


def compare_files(
    base: Path,
    candidate: Path,
    schema: str = "kindred",
    examples: int = 5,
    candidate_name: str | None = None,
    base_name: str | None = None,
) -> Diff:
    """Compare two database files: working ones, or published ones.

    schema: the target's schema, in which the marts lie. examples: how many of the largest merges
    and splits are told, by records and by money each. candidate_name, base_name: what to call
    either, if not by its file. Raises KindredError where a file is missing, no database of
    Kindred, of another version, or in use (exit code 3).
    """
    if base.resolve() == candidate.resolve():
        raise KindredError(
            f"Base and candidate are both {base.name}.", "name two databases to compare."
        )
    with attached(base, candidate) as con:
        return compare(
            con,
            read_side(con, BASE, base_name or base.name, schema),
            read_side(con, CANDIDATE, candidate_name or candidate.name, schema),
            examples,
        )


def compare(con: duckdb.DuckDBPyConnection, base: Side, candidate: Side, examples: int = 5) -> Diff:
    """Compare two attached databases (catalogs BASE and CANDIDATE); see `Diff`."""
    for entity, noun in ENTITIES.items():
        diff_flows.lay_out_flows(con, entity, noun, base, candidate)
    return Diff(
        base=base,
        candidate=candidate,
        entities=tuple(diff_flows.entity_change(con, entity) for entity in ENTITIES),
        segments=diff_segments.segment_changes(con, base, candidate),
        flags=diff_consent.flag_changes(con, base, candidate),
        consent_gains=diff_consent.consent_gains(con, base, candidate, examples),
        causes=diff_examples.cause_totals(con),
        examples=diff_examples.examples_of(con, base, candidate, examples),
    )
