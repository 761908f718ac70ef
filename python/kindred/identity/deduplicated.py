"""Sources that hold everybody once: such a source gives at most one record to a cluster.

Stronger than rules, weights and exact doubles, weaker than a steward's must-link.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import yaml

from kindred.errors import KindredError
from kindred.identity.components import IntArray
from kindred.identity.kept import KeyArray


def sources_of(setting: Any, entity: str) -> tuple[str, ...]:
    """What the var identity_deduplicated_sources names for an entity: beginnings of record ids.

    setting: a mapping of entity to a list of `crm` or `crm:contact`, or that mapping as text, as
    dbt renders it. Names within a wider one that is named too are left out.
    """
    given = yaml.safe_load(setting) if isinstance(setting, str) else setting
    if not given:
        return ()
    problem = KindredError(
        "vars.identity_deduplicated_sources does not list sources by entity.",
        "write it as {person: [salesforce:contact], account: [salesforce]}.",
    )
    if not isinstance(given, Mapping) or set(given) - {"person", "account"}:
        raise problem
    names = given.get(entity) or []
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise problem
    prefixes = sorted({f"{name.strip().rstrip(':')}:" for name in names if name.strip(" :")})
    return tuple(
        one
        for one in prefixes
        if not any(one != other and one.startswith(other) for other in prefixes)
    )


def marks_of(con: duckdb.DuckDBPyConnection, sources: Sequence[str]) -> tuple[IntArray, IntArray]:
    """Nodes (table `members`: record_id, n) with a record of such a source, and its number."""
    if not sources:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    con.register("deduplicated_sources", _numbered(sources))
    found = con.execute(
        """
        select distinct m.n, s.mark
        from members as m
        inner join deduplicated_sources as s on starts_with(m.record_id, s.prefix)
        order by m.n, s.mark
        """
    ).fetchnumpy()
    con.unregister("deduplicated_sources")
    return found["n"].astype(np.int64), found["mark"].astype(np.int64)


def doubles_apart(
    con: duckdb.DuckDBPyConnection,
    sources: Sequence[str],
    fields: Sequence[str],
    table: str = "prepared",
) -> tuple[str, ...]:
    """Records of such a source that repeat another of it in all match fields, in a table.

    The first by name may stand with exact doubles from elsewhere; these stand alone.
    """
    if not sources:
        return ()
    keys = ", ".join(fields)
    con.register("deduplicated_sources", _numbered(sources))
    found = con.execute(
        f"""
        select record_id
        from (
            select
                p.record_id,
                row_number() over (partition by s.mark, {keys} order by p.record_id) as place
            from {table} as p
            inner join deduplicated_sources as s on starts_with(p.record_id, s.prefix)
        )
        where place > 1
        order by record_id
        """
    ).fetchall()
    con.unregister("deduplicated_sources")
    return tuple(str(row[0]) for row in found)


def twins(content: KeyArray, marked: IntArray) -> tuple[IntArray, IntArray]:
    """Pairs of neighbours among the marked nodes of equal content, which stand one beside another
    only because each source holds everybody once."""
    nodes = np.unique(marked)
    nodes = nodes[np.argsort(content[nodes], kind="stable")]
    same = content[nodes[1:]] == content[nodes[:-1]]
    return nodes[:-1][same], nodes[1:][same]


def _numbered(sources: Sequence[str]) -> pa.Table:
    return pa.table(
        {
            "prefix": pa.array(list(sources), pa.string()),
            "mark": pa.array(range(len(sources)), pa.int64()),
        }
    )
