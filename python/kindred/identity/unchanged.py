"""Where nothing that matching looks at has changed since the last run, its findings stand.

Matching is a function of its records, identifiers, decisions, word lists, settings and code. All of
it is put into one fingerprint, which is kept beside the findings.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

KIND = "inputs"
_LIBRARIES = ("duckdb", "numpy", "pyarrow", "scipy", "splink", "sqlglot", "tldextract")


def fingerprint(
    entity: str, given: Mapping[str, Any], settings: Mapping[str, Any], files: tuple[Path, ...] = ()
) -> str:
    """A text that changes whenever anything changes on which the findings depend.

    given: relations by name, whose rows count in any order. files: read beside the code.
    """
    asked = {
        "entity": entity,
        "given": {name: _digest(given[name]) for name in sorted(given)},
        "settings": json.loads(json.dumps(settings, default=str)),
        "files": [
            hashlib.sha256(path.read_bytes()).hexdigest() for path in files if path.is_file()
        ],
        "code": _code(),
    }
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()


def kept_in(earlier: pa.Table | duckdb.DuckDBPyRelation) -> list[str]:
    """The fingerprint that the last run kept; none where it kept `earlier` without."""
    if isinstance(earlier, pa.Table):
        told = earlier.filter(pc.equal(earlier["kind"], KIND))
    else:
        told = earlier.filter(f"kind = '{KIND}'").project("settings").to_arrow_table()
    return [str(text) for text in told["settings"].to_pylist()]


def as_table(asked: str) -> pa.Table:
    """The fingerprint as the one row that a run keeps (see kindred.identity.kept.pack)."""
    return pa.table(
        {
            "kind": pa.array([KIND], pa.string()),
            "chunk": pa.array([0], pa.int64()),
            "settings": pa.array([asked], pa.string()),
            "packed": pa.array([bytes.fromhex(asked)], pa.large_binary()),
        }
    )


def _digest(relation: Any) -> list[str]:
    """Columns, rows and two sums over the hashes of the rows: the same in any order of rows."""
    if isinstance(relation, pa.Table):
        with duckdb.connect() as con:
            return _digest(con.from_arrow(relation))
    columns = sorted(relation.columns)
    row = ", ".join('"' + name.replace('"', '""') + '"' for name in columns)
    sums = relation.aggregate(
        f"count(*), sum(hash({row})::hugeint), sum(hash({row}, 'again')::hugeint)"
    ).fetchall()[0]
    return [*columns, *(str(value) for value in sums)]


@cache
def _code() -> str:
    """Versions of what computes: this package's files of matching, and the libraries."""
    own = hashlib.sha256()
    here = Path(__file__).parent
    for path in sorted(here.rglob("*")):
        if path.suffix in {".py", ".json", ".csv"}:
            own.update(path.relative_to(here).as_posix().encode() + b"\0" + path.read_bytes())
    return " ".join([own.hexdigest(), *(f"{name} {version(name)}" for name in _LIBRARIES)])
