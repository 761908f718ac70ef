"""Go on with a run that was killed: what it was built from, what is done, and what is left.

Nothing is taken for done on the word of a file alone. The journal of the run (see journal.py) must
say that it was built from the same target, raw tables, code, variables, options and privacy key;
the table `generation` must carry the id under which dbt was started for that run; dbt's manifest
must be of its last invocation, so that no other dbt command was run since; and the relation of each
node that counts as done must be there, as must be all that it hangs on.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from kindred.privacy.suppression import privacy_key
from kindred.project import Profile, Project
from kindred.warehouse.database import Connection, has_relation, quoted, relations
from kindred.warehouse.dbt_run import target_directory
from kindred.warehouse.journal import Journal
from kindred.warehouse.postgres import is_postgres
from kindred.warehouse.target import home_of

_CODE = {".sql", ".yml", ".yaml", ".csv", ".py", ".json", ".html"}
_LIBRARIES = [
    *("dbt-core", "dbt-adapters", "dbt-duckdb", "dbt-postgres", "duckdb", "numpy"),
    *("pyarrow", "scipy", "splink", "tldextract"),
]
_SECRET = {"password", "pass", "private_key", "token"}
_BUILT = ("model", "seed", "snapshot")
_LAST_NODE = "run_history"


@dataclass(frozen=True)
class State:
    """What the working database says of the run whose tables it holds."""

    run_id: str | None = None
    as_of: datetime | None = None
    generation: int | None = None
    is_ended: bool = False
    relations: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Rest:
    """What is left of a run: the nodes by their place in the project, or all of them.

    why_all: why the run cannot be gone on with, so that everything is built; else empty.
    as_of: the moment the run speaks of.
    """

    why_all: str = ""
    left: tuple[str, ...] = ()
    done: int = 0
    as_of: str = ""


def journal_path(project: Project, profile: Profile) -> Path:
    """Where the journal of a run on this target lies."""
    if not is_postgres(profile):
        path = profile.duckdb_path()
        return path.with_name(path.name + ".run-journal")
    name = profile.settings.get("dbname") or profile.settings.get("database")
    return home_of(project, profile) / f"{name}.{profile.schema}.run-journal"


def bases_of(
    project: Project,
    profile: Profile,
    variables: Mapping[str, Any],
    options: Sequence[str],
    raw: str | None,
) -> dict[str, str | None]:
    """What a run is built from, as a fingerprint each; None where it cannot be known.

    raw: the fingerprint of the raw tables, see kindred.warehouse.raw_state.
    """
    key = privacy_key()
    settings = {k: v for k, v in profile.settings.items() if k.lower() not in _SECRET}
    return {
        "target": _hash([profile.target, str(profile.database_path), settings]),
        "input": raw,
        "code": _hash([*_libraries(), *_files(project)]),
        "variables": _hash(dict(variables)),
        "options": _hash(list(options)),
        "key": hmac.new(key, b"kindred run", hashlib.sha256).hexdigest()[:16] if key else "",
    }


def _hash(content: Any) -> str:
    text = json.dumps(content, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _libraries() -> list[str]:
    return [sys.version, *(f"{name} {metadata.version(name)}" for name in _LIBRARIES)]


def _files(project: Project) -> list[list[str]]:
    """Path and hash of every file that dbt or a model of this package reads."""
    package = Path(__file__).parents[1]
    places = [project.root / room for room in ("models", "macros", "seeds")]
    places += [place for place in project.root.glob("tests/*") if place.name != "python"]
    places += [package, package.parent / "dbt"]
    files = {path for place in places for path in place.rglob("*") if path.suffix in _CODE}
    named = project.variables.get("identity_model")
    for given in named.values() if isinstance(named, dict) else [named]:
        files.add(project.root / str(given))
    files.add(project.root / "dbt_project.yml")
    return [
        [str(path), hashlib.sha256(path.read_bytes()).hexdigest()]
        for path in sorted(files)
        if path.is_file()
    ]


def state_of(connection: Connection, profile: Profile) -> State:
    """What the working database says of the run whose tables it holds."""
    identity, marts = profile.schema_of("identity"), profile.schema
    found = relations(connection)
    if not has_relation(connection, identity, "generation"):
        return State(relations=found)
    rows = connection.execute(
        "select generation, run_id, cast(as_of as timestamp)"  # noqa: S608 - quoted names
        f" from {quoted(identity, 'generation')}"
    ).fetchall()
    if not rows:
        return State(relations=found)
    generation, run_id, as_of = int(rows[0][0]), str(rows[0][1]), rows[0][2]
    is_ended = False
    if has_relation(connection, marts, _LAST_NODE):
        ended = connection.execute(
            f"select count(*) from {quoted(marts, _LAST_NODE)}"  # noqa: S608 - quoted names
            " where generation = ? and run_id = ?",
            [generation, run_id],
        ).fetchall()
        is_ended = bool(ended[0][0])
    return State(run_id, as_of, generation, is_ended, found)


def rest_of(
    journal: Journal | None,
    bases: Mapping[str, str | None],
    state: State,
    manifest: Mapping[str, Any] | None,
) -> Rest:
    """What is left to build of the run in the journal; everything where it cannot be gone on with.

    manifest: dbt's manifest.json.
    """
    if journal is None:
        return Rest("No run was broken off.")
    changed = journal.differences(dict(bases))
    if changed:
        return Rest(f"Since that run {', '.join(changed)} changed.")
    if bases["input"] is None:
        return Rest("A source lies in another database, so that nobody knows whether it changed.")
    if state.run_id is None or state.run_id not in journal.invocations:
        return Rest("That run did not get far, or another one came after it.")
    if manifest is None or manifest["metadata"]["invocation_id"] != journal.invocations[-1]:
        return Rest("dbt was started since.")
    nodes = {name: node for name, node in manifest["nodes"].items() if _is_of_a_build(node)}
    parents = {name: set(found) & set(nodes) for name, found in manifest["parent_map"].items()}
    there = {name for name in journal.done & set(nodes) if _is_there(nodes[name], state)}
    done = _closed(there, parents)
    if state.is_ended:
        # The state models of this run are written: built again, they would take it for a past one.
        last = next(name for name, node in nodes.items() if node["name"] == _LAST_NODE)
        before = _and_before(last, parents)
        done |= {name for name in before if nodes[name]["resource_type"] in _BUILT}
    left = sorted(".".join(node["fqn"]) for name, node in nodes.items() if name not in done)
    return Rest("", tuple(left), len(done), f"{state.as_of:%Y-%m-%d %H:%M:%S}")


def _is_of_a_build(node: Mapping[str, Any]) -> bool:
    return node["resource_type"] in (*_BUILT, "test") and node["config"].get("enabled", True)


def _is_there(node: Mapping[str, Any], state: State) -> bool:
    if node["resource_type"] not in _BUILT or node["config"].get("materialized") == "ephemeral":
        return True
    name = str(node.get("alias") or node["name"]).lower()
    return name in state.relations.get(str(node["schema"]).lower(), ())


def _closed(done: set[str], parents: Mapping[str, set[str]]) -> set[str]:
    """Those of `done` whose ancestors are all done too."""
    while True:
        kept = {name for name in done if parents.get(name, set()) <= done}
        if kept == done:
            return kept
        done = kept


def _and_before(node: str, parents: Mapping[str, set[str]]) -> set[str]:
    """A node and all its ancestors."""
    found: set[str] = set()
    waiting = {node}
    while waiting:
        found |= waiting
        waiting = {parent for name in waiting for parent in parents.get(name, set())} - found
    return found


def read_manifest(project: Project) -> dict[str, Any] | None:
    """dbt's manifest.json; None where it is missing or torn."""
    try:
        content = json.loads((target_directory(project) / "manifest.json").read_text("utf-8"))
        return content if {"metadata", "nodes", "parent_map"} <= set(content) else None
    except (OSError, ValueError):
        return None


def options_for(left: Sequence[str]) -> list[str]:
    """dbt's options that select these nodes, and nothing beside them."""
    return ["--indirect-selection=empty", "--select", *(f"fqn:{place}" for place in left)]


def is_broken_off(journal: Journal, state: State, manifest: Mapping[str, Any] | None) -> bool:
    """Whether the last dbt command was a run that did not end, so that its tables do not fit.

    A run that did not get as far as the table `generation` is known by dbt's manifest alone.
    """
    if manifest is None or state.run_id in journal.invocations:
        return False
    return manifest["metadata"]["invocation_id"] in journal.invocations
