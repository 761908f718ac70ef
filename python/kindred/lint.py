"""What dbt does not check: names, contracts, descriptions, tested keys, lineage, dialects.

Run as `python -m kindred.lint`, in the project's folder; exit 0 where the project is clean, 1 with
findings, 2 where it cannot be read. Each rule is a function of a `House` that yields findings; a
finding says the file, what is wrong there and how to mend it.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from kindred.errors import KindredError
from kindred.lint_yaml import (
    MODEL_CONFIG,
    PROJECT,
    PROPERTIES,
    SEED_CONFIG,
    SOURCE_CONFIG,
    TEST_CONFIG,
    folder_keys,
    read_strict,
    unknown_keys,
)
from kindred.project import PROJECT_FILE, find_root

ROOMS = ("models", "macros", "seeds", "tests", "analyses")
"""Folders that dbt reads."""

ACCOUNTING = ("quarantine", "collapsed_rows", "row_counts", "suppression_candidates")
"""What each source tells of its rows, besides the streams it feeds."""

HOUSE_KEEPING = frozenset({"privacy"})
"""Folders of models/staging that hold no source of customers."""

PLAIN_NAMES = {
    "generation": "the number of the run; a table that every state model reads",
    "people": "plural of person",
}
"""Names that the rules of naming do not cover, each with its reason."""

GROUPS = {
    "staging": "data_platform",
    "intermediate/streams": "data_platform",
    "intermediate/identity": "identity",
    "intermediate/consent": "consent",
    "intermediate/profiles": "profiles",
    "marts/profiles": "profiles",
    "marts/consent": "consent",
    "marts/identity": "identity",
    "marts/quality": "quality",
    "segments": "segments",
    "activation": "segments",
}
"""Folder below models/ -> group of its models."""

SCHEMAS: dict[str, str | None] = {
    "staging": "staging",
    "intermediate/streams": "streams",
    "intermediate/identity": "identity",
    "intermediate/consent": "consent",
    "intermediate/profiles": "profiles",
    "marts": None,
    "segments": "segments",
    "activation": "activation",
}
"""Folder below models/ -> custom schema of its models (None: the target's own)."""

CLASSIFICATION = ("pii", "bi")
"""What `config.meta` of each public column says: the kind of personal data, what BI may show."""

MAX_PYTHON_LINES = 20
MAX_COLUMNS = 100

WALL_CLOCK = re.compile(
    r"\b(?:now|getdate|today|sysdate|clock_timestamp|statement_timestamp|utcnow)\s*\("
    r"|\b(?:current_timestamp|current_date|current_time|localtimestamp|localtime|run_started_at)\b"
    r"|\btime\.time\s*\(",
    re.IGNORECASE,
)
ONE_ENGINE = re.compile(
    r"\bqualify\b|\bgroup\s+by\s+all\b|\border\s+by\s+all\b|\bdistinct\s+on\b"
    r"|\btry_cast\s*\(|\bdate_diff\s*\(|\bstrftime\s*\(|\bstrptime\s*\(|\bmax_by\s*\(|\bmin_by\s*\("
    r"|\barg_max\s*\(|\barg_min\s*\(|\bmedian\s*\(|\blist\s*\(|\blist_[a-z_]+\s*\(|\bstruct_pack\s*\("
    r"|\bstrip_accents\s*\(|\bjaro_winkler_similarity\s*\(|\bregexp_matches\s*\("
    r"|\bto_char\s*\(|\binitcap\s*\(|\bjsonb_[a-z_]+\s*\(|\*\s*exclude\b|\basof\s+join\b|::",
    re.IGNORECASE,
)
DIALECT_MACRO = re.compile(r"{%-?\s*macro\s+((?:duckdb|postgres|spark|default)__\w+)")
JINJA_COMMENT = re.compile(r"{#.*?#}", re.DOTALL)
JINJA = re.compile(r"{{.*?}}|{%.*?%}", re.DOTALL)
SQL_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
SQL_TEXT = re.compile(r"'(?:[^']|'')*'")
PYTHON_COMMENT = re.compile(r"#[^\n]*")
CONFIG_GET = re.compile(r"dbt\.config\.get\(\s*[\"'](\w+)[\"']")


@dataclass(frozen=True, order=True)
class Finding:
    """Something to mend: where, what, and how."""

    file: str
    what: str
    mend: str

    def __str__(self) -> str:
        return f"{self.file}: {self.what}\n    {self.mend}"


@dataclass(frozen=True)
class House:
    """The project as the rules see it.

    manifest: dbt's manifest.json. files: path from the project's root -> text, of the SQL, Python
    and YAML files in ROOMS and of dbt_project.yml. sources, segments: the two lists of `vars`.
    """

    manifest: Mapping[str, Any]
    files: Mapping[str, str]
    sources: Mapping[str, list[str]]
    segments: tuple[str, ...]

    @cached_property
    def models(self) -> list[dict[str, Any]]:
        """Models that are on, by path."""
        return _of_type(self.manifest, "model")

    @cached_property
    def disabled(self) -> set[str]:
        """Names of models that are off."""
        off = self.manifest.get("disabled") or {}
        return {
            node["name"] for nodes in off.values() for node in nodes
            if node.get("resource_type") == "model"
        }  # fmt: skip

    @cached_property
    def parsed_yaml(self) -> dict[str, Any]:
        """Path -> content of each YAML file that can be read."""
        content: dict[str, Any] = {}
        for path, text in self.files.items():
            if path.endswith((".yml", ".yaml")):
                try:
                    content[path] = read_strict(text)
                except yaml.YAMLError:
                    content[path] = None
        return content

    def sql(self, *folders: str) -> Iterator[tuple[str, str]]:
        """Path and text of each SQL file below the folders."""
        for path, text in self.files.items():
            if path.endswith(".sql") and path.startswith(tuple(f"{name}/" for name in folders)):
                yield path, text


Rule = Callable[[House], Iterator[Finding]]


def _of_type(manifest: Mapping[str, Any], kind: str) -> list[dict[str, Any]]:
    nodes = [node for node in manifest["nodes"].values() if node["resource_type"] == kind]
    return sorted(nodes, key=lambda node: str(node["original_file_path"]))


def _file(node: Mapping[str, Any]) -> str:
    """The file of a node; a model's YAML entry is looked for by the reader."""
    return str(node["original_file_path"])


def _folder(node: Mapping[str, Any]) -> str:
    """Folder of a model below models/, as `staging/stripe`."""
    return str(PurePosixPath(_file(node)).parent.relative_to("models"))


def _within(folder: str, room: str) -> bool:
    return folder == room or folder.startswith(f"{room}/")


def _meta(node: Mapping[str, Any]) -> dict[str, Any]:
    """`meta` of a node or column, wherever dbt put it."""
    return {**(node.get("meta") or {}), **((node.get("config") or {}).get("meta") or {})}


def names_tell_the_room(house: House) -> Iterator[Finding]:
    """A model's name says which room it stands in."""
    streams = {node["name"] for node in house.models if _folder(node) == "intermediate/streams"}
    for node in house.models:
        name, folder = node["name"], _folder(node)
        if name in PLAIN_NAMES:
            continue
        mend = _name_problem(name, folder, streams)
        if mend:
            yield Finding(_file(node), f"the name '{name}' does not fit models/{folder}", mend)


def _name_problem(name: str, folder: str, streams: set[str]) -> str:
    parts = folder.split("/")
    if parts[0] == "staging" and len(parts) == 2:
        source = parts[1]
        if re.fullmatch(rf"base_{source}__[a-z0-9_]+", name):
            return ""
        if re.fullmatch(rf"stg_{source}__([a-z0-9_]+s|people)", name):
            return ""
        prefix, _, stream = name.partition("__")
        if prefix == source and (
            stream in streams or stream in ACCOUNTING or source in HOUSE_KEEPING
        ):
            return ""
        return (
            f"name it base_{source}__<table>, stg_{source}__<entity>s (plural) or "
            f"{source}__<stream>"
        )
    if folder == "intermediate/streams":
        return "" if re.fullmatch(r"[a-z]+(_[a-z]+)*", name) else "name a stream by plain nouns"
    if parts[0] == "intermediate" and len(parts) > 1:
        return "" if re.fullmatch(r"int_[a-z0-9_]+", name) else "name it int_<entity>_<verb>"
    if parts[0] == "marts" and len(parts) > 1:
        prefixed = re.match(r"(base|stg|int|seg|audience|mart|fct|dim)_", name)
        if prefixed or not re.fullmatch(r"[a-z]+(_[a-z0-9]+)*", name):
            return "name a mart by plain nouns, such as customers"
        return ""
    if parts[0] == "segments":
        return "" if re.fullmatch(r"seg_[a-z0-9_]+", name) else "name it seg_<name>"
    if parts[0] == "activation":
        return "" if re.fullmatch(r"audience_[a-z0-9_]+", name) else "name it audience_<name>"
    return "move it to a room that CONTRIBUTING.md lists"


def folders_match_groups_and_schemas(house: House) -> Iterator[Finding]:
    """A model is in the group and the schema of its folder."""
    for node in house.models:
        folder, config = _folder(node), node["config"]
        for room, group in GROUPS.items():
            if _within(folder, room) and config.get("group") != group:
                yield Finding(
                    _file(node), f"'{node['name']}' is in the group {config.get('group')}",
                    f"models/{room} belongs to the group {group}: set it in dbt_project.yml",
                )  # fmt: skip
        for room, schema in SCHEMAS.items():
            if _within(folder, room) and config.get("schema") != schema:
                yield Finding(
                    _file(node), f"'{node['name']}' is built in the schema {config.get('schema')}",
                    f"models/{room} is built in {schema or 'the schema of the target'}: "
                    "take its own `schema` out",
                )  # fmt: skip


def everything_is_described(house: House) -> Iterator[Finding]:
    """Models, seeds, sources and raw tables say what they hold; models begin with the grain."""
    for node in house.models:
        text = (node.get("description") or "").strip()
        if not text:
            yield Finding(
                _file(node), f"the model '{node['name']}' has no description",
                f"describe it in {_yaml_beside(node)}, as: One row per <grain>; ...",
            )  # fmt: skip
        elif not re.match(r"(One|Exactly one|A single) row\b", text):
            yield Finding(
                node.get("patch_path", _file(node)).split("://")[-1],
                f"the description of '{node['name']}' does not begin with the grain",
                "begin with: One row per <grain>",
            )
    for node in _of_type(house.manifest, "seed"):
        if not (node.get("description") or "").strip():
            yield Finding(
                _file(node), f"the seed '{node['name']}' has no description",
                "describe it in a YAML file beside it",
            )  # fmt: skip
    for node in house.manifest.get("sources", {}).values():
        for what, text in (
            (f"the source '{node['source_name']}'", node.get("source_description")),
            (f"the raw table '{node['source_name']}.{node['name']}'", node.get("description")),
        ):
            if not (text or "").strip():
                yield Finding(_file(node), f"{what} has no description", "say what it holds")


def _yaml_beside(node: Mapping[str, Any]) -> str:
    folder = PurePosixPath(_file(node)).parent
    return f"{folder}/_{folder.name}__models.yml"


def marts_are_public_and_others_are_not(house: House) -> Iterator[Finding]:
    """The public surface is the marts, segments' and audiences' lists excepted."""
    for node in house.models:
        is_mart = _within(_folder(node), "marts")
        is_public = node["config"].get("access") == "public"
        if is_mart and not is_public:
            yield Finding(
                _file(node), f"the mart '{node['name']}' is not public",
                "take its own `access` out; models that are not public belong in intermediate/",
            )  # fmt: skip
        if is_public and not is_mart:
            yield Finding(
                _file(node), f"'{node['name']}' is public and no mart",
                "take `access: public` out, or move it to models/marts",
            )  # fmt: skip


def public_models_keep_a_contract(house: House) -> Iterator[Finding]:
    """A public model has an enforced contract and each column a description, type and class."""
    for node in house.models:
        config = node["config"]
        is_stream = _within(_folder(node), "intermediate/streams")
        is_public = config.get("access") == "public"
        if not (is_public or is_stream):
            continue
        name, where = node["name"], _yaml_beside(node)
        if not (config.get("contract") or {}).get("enforced"):
            yield Finding(
                _file(node), f"'{name}' has no enforced contract",
                "take `contract: {enforced: false}` out; wrap a Python model in a SQL model",
            )  # fmt: skip
        if not config.get("group"):
            yield Finding(_file(node), f"'{name}' is in no group", "set `config.group`")
        if not node.get("columns"):
            yield Finding(_file(node), f"'{name}' lists no columns", f"list them in {where}")
        for column in (node.get("columns") or {}).values():
            label = f"the column '{name}.{column['name']}'"
            if not (column.get("description") or "").strip():
                yield Finding(where, f"{label} has no description", "say what it means")
            if not column.get("data_type"):
                yield Finding(where, f"{label} has no data_type", "give its type")
            lacking = [key for key in CLASSIFICATION if key not in _meta(column)]
            if is_public and lacking:
                yield Finding(
                    where, f"{label} is not classified ({', '.join(lacking)})",
                    "add `config: {meta: {pii: none, bi: show}}` with the values that hold",
                )  # fmt: skip


def keys_are_tested(house: House) -> Iterator[Finding]:
    """Each mart, stream and staged table has a key that is tested."""
    tested: dict[str, dict[str | None, set[str]]] = {}
    for test in _of_type(house.manifest, "test"):
        kind = (test.get("test_metadata") or {}).get("name")
        if test.get("attached_node") and kind:
            columns = tested.setdefault(test["attached_node"], {})
            columns.setdefault(test.get("column_name"), set()).add(kind)
    for node in house.models:
        folder = _folder(node)
        wanted = (
            node["config"].get("access") == "public"
            or _within(folder, "intermediate/streams")
            or node["name"].startswith("stg_")
        )
        columns = tested.get(node["unique_id"], {})
        has_key = any({"key", "unique_combination"} & kinds for kinds in columns.values())
        if wanted and not has_key:
            yield Finding(
                _yaml_beside(node), f"no key of '{node['name']}' is tested",
                "add `data_tests: [key]` to its key, or `unique_combination`",
            )  # fmt: skip


def keys_of_yaml_are_known(house: House) -> Iterator[Finding]:
    """dbt reads every key that is written."""
    folders = _folders(house.files) | {f"models/{room}" for room in (*GROUPS, *SCHEMAS)}
    for path, text in house.files.items():
        if not path.endswith((".yml", ".yaml")):
            continue
        try:
            content = read_strict(text)
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            line = f", line {mark.line + 1}" if mark else ""
            problem = getattr(error, "problem", None) or "no valid YAML"
            yield Finding(path, f"{problem}{line}", "mend the file")
            continue
        spec = PROJECT if path == PROJECT_FILE else PROPERTIES
        found = list(unknown_keys(content, _with_python_keys(house, path, content, spec)))
        if path == PROJECT_FILE and isinstance(content, dict):
            trees = {
                "models": ("models", MODEL_CONFIG), "seeds": ("seeds", SEED_CONFIG),
                "sources": ("models", SOURCE_CONFIG), "data_tests": ("", TEST_CONFIG),
            }  # fmt: skip
            for key, (room, config) in trees.items():
                tree = (content.get(key) or {}).get(content.get("name"), {})
                below = {
                    name.removeprefix(f"{room}/") for name in folders if name.startswith(f"{room}/")
                }
                found += folder_keys(tree, config, below)
        for item in found:
            yield Finding(path, f"unknown key '{item.key}' in {item.place}", item.mend)


def _with_python_keys(house: House, path: str, content: Any, spec: Any) -> Any:
    """The spec with the settings that Python models of this folder read by `dbt.config.get`."""
    folder = str(PurePosixPath(path).parent)
    own: dict[str, Any] = {}
    for file, text in house.files.items():
        if file.endswith(".py") and str(PurePosixPath(file).parent) == folder:
            own |= dict.fromkeys(CONFIG_GET.findall(text))
    if not own or spec is PROJECT:
        return spec
    model = dict(spec["models"][0], config=MODEL_CONFIG | own)
    return {**spec, "models": [model]}


def _folders(files: Iterable[str]) -> set[str]:
    found: set[str] = set()
    for path in files:
        found |= {str(parent) for parent in PurePosixPath(path).parents}
    return found


def yaml_files_are_named_after_their_folder(house: House) -> Iterator[Finding]:
    """A YAML file below models/ is found by its folder's name."""
    for path in house.files:
        file = PurePosixPath(path)
        if not path.startswith("models/") or file.suffix not in (".yml", ".yaml"):
            continue
        if path == "models/_groups.yml":
            continue
        # The parent's name may stand before or after it: two folders are called `consent`.
        noun = re.escape(file.parent.name.removesuffix("s"))
        if not re.fullmatch(rf"_(\w+_)?{noun}s?(_\w+)?__\w+\.yml", file.name):
            yield Finding(
                path, "the file is not named after its folder",
                f"name it _{file.parent.name}__<what it holds>.yml",
            )  # fmt: skip


def only_base_models_read_sources(house: House) -> Iterator[Finding]:
    """Raw tables are read in one place: the base models of staging."""
    for node in house.models:
        parents = node.get("depends_on", {}).get("nodes", [])
        reads = [parent for parent in parents if parent.startswith("source.")]
        if reads and not (_within(_folder(node), "staging") and node["name"].startswith("base_")):
            tables = ", ".join(".".join(parent.split(".")[-2:]) for parent in reads)
            yield Finding(
                _file(node), f"'{node['name']}' reads the raw table {tables}",
                "read it in a base_ model of models/staging, and that by ref()",
            )  # fmt: skip


def nothing_after_streams_knows_a_source(house: House) -> Iterator[Finding]:
    """A model behind the streams has no staging model among its ancestors but through a stream."""
    by_id = {node["unique_id"]: node for node in house.models}
    for node in house.models:
        folder = _folder(node)
        if _within(folder, "staging") or _within(folder, "intermediate/streams"):
            continue
        seen: set[str] = set()
        paths = [(parent, node["name"]) for parent in node["depends_on"]["nodes"]]
        while paths:
            parent, by = paths.pop()
            if parent in seen or parent not in by_id:
                continue
            seen.add(parent)
            above = by_id[parent]
            if _within(_folder(above), "staging"):
                by_way = "" if by == node["name"] else f" (by way of '{by}')"
                yield Finding(
                    _file(node), f"'{node['name']}' depends on the staging model "
                    f"'{above['name']}'{by_way}",
                    "read the streams (models/intermediate/streams); what they lack goes there",
                )  # fmt: skip
            elif not _within(_folder(above), "intermediate/streams"):
                paths += [(ancestor, above["name"]) for ancestor in above["depends_on"]["nodes"]]


def segments_are_registered(house: House) -> Iterator[Finding]:
    """Every segment file is listed in vars.segments and every name there has a file."""
    files = {
        PurePosixPath(path).stem.removeprefix("seg_"): path
        for path, _ in house.sql("models/segments")
        if PurePosixPath(path).name.startswith("seg_")
    }
    for name, path in files.items():
        if name not in house.segments:
            yield Finding(
                path, f"the segment '{name}' is not registered",
                f"add `- {name}` under vars.segments in {PROJECT_FILE}",
            )  # fmt: skip
    for name in house.segments:
        if name not in files:
            yield Finding(
                PROJECT_FILE, f"vars.segments lists '{name}', which has no file",
                f"write models/segments/seg_{name}.sql, or take the line out",
            )  # fmt: skip


def models_know_no_wall_clock(house: House) -> Iterator[Finding]:
    """The same input and `as_of` give the same rows."""
    for path, text in house.files.items():
        if not path.startswith("models/") or not path.endswith((".sql", ".py")):
            continue
        # Jinja stays in: `run_started_at` is read there.
        code = PYTHON_COMMENT.sub("", text) if path.endswith(".py") else _without_comments(text)
        for found in sorted(
            {match.group(0).strip("( ").lower() for match in WALL_CLOCK.finditer(code)}
        ):
            yield Finding(path, f"reads the wall clock ({found})", "use {{ as_of() }}")


def dialects_stay_in_cross_db(house: House) -> Iterator[Finding]:
    """What only one engine understands is written in macros/cross_db."""
    for path, text in house.sql("models", "analyses", "tests"):
        code = SQL_TEXT.sub("''", JINJA.sub(" ", _without_comments(text)))
        for found in sorted(
            {match.group(0).strip("( ").lower() for match in ONE_ENGINE.finditer(code)}
        ):
            yield Finding(
                path, f"'{found}' is not understood by every engine",
                "write it by a macro of macros/cross_db, or in plain SQL (row_number() in a CTE, "
                "cast(), group by names)",
            )  # fmt: skip
    for path, text in house.sql("macros"):
        if path.startswith("macros/cross_db/"):
            continue
        for name in DIALECT_MACRO.findall(JINJA_COMMENT.sub("", text)):
            yield Finding(
                path, f"the macro '{name}' is written for one engine", "move it to macros/cross_db"
            )


def _without_comments(text: str) -> str:
    return SQL_COMMENT.sub("", JINJA_COMMENT.sub("", text))


def lines_are_short(house: House) -> Iterator[Finding]:
    """SQL is read side by side: a line without Jinja has at most 100 columns."""
    for path, text in house.sql("models", "analyses", "tests"):
        templated = {
            number
            for match in JINJA.finditer(text)
            for number in range(
                text.count("\n", 0, match.start()) + 1, text.count("\n", 0, match.end()) + 2
            )
        }
        for number, line in enumerate(text.splitlines(), 1):
            if len(line) > MAX_COLUMNS and number not in templated:
                yield Finding(
                    f"{path}:{number}",
                    f"the line has {len(line)} columns",
                    f"break it; {MAX_COLUMNS} at most",
                )


def source_folders_are_complete(house: House) -> Iterator[Finding]:
    """A source brings its sources, models and unit tests YAML, its accounting and its streams."""
    by_folder: dict[str, set[str]] = {}
    for path in house.files:
        parts = path.split("/")
        if len(parts) == 4 and path.startswith("models/staging/"):
            by_folder.setdefault(parts[2], set()).add(parts[3])
    streams = {
        PurePosixPath(path).stem for path, _ in house.sql("models/intermediate/streams")
    } - set(ACCOUNTING)
    for source, names in sorted(by_folder.items()):
        if source in HOUSE_KEEPING:
            continue
        folder = f"models/staging/{source}"
        wanted = [f"_{source}__{what}.yml" for what in ("sources", "models", "unit_tests")]
        wanted += [f"{source}__{what}.sql" for what in ACCOUNTING]
        wanted += [f"base_{source}__{table}.sql" for table in _raw_tables(house, folder, source)]
        for name in wanted:
            if name not in names:
                yield Finding(folder, f"{name} is missing", "write it after models/staging/stripe")
        if source not in house.sources:
            yield Finding(
                PROJECT_FILE, f"vars.sources has no line for '{source}'",
                f"add `{source}: [<streams it feeds>]`",
            )  # fmt: skip
            continue
        feeds = house.sources[source] or []
        for stream in feeds:
            if f"{source}__{stream}.sql" not in names:
                yield Finding(
                    PROJECT_FILE, f"vars.sources: '{source}' feeds '{stream}', which has no model",
                    f"write {folder}/{source}__{stream}.sql, or take '{stream}' out of the line",
                )  # fmt: skip
        for stream in sorted(streams - set(feeds)):
            if f"{source}__{stream}.sql" in names:
                yield Finding(
                    PROJECT_FILE, f"vars.sources does not say that '{source}' feeds '{stream}'",
                    f"add {stream} to its line, or remove {folder}/{source}__{stream}.sql",
                )  # fmt: skip


def _raw_tables(house: House, folder: str, source: str) -> list[str]:
    content = house.parsed_yaml.get(f"{folder}/_{source}__sources.yml")
    declared = content.get("sources") if isinstance(content, dict) else None
    return [
        str(table.get("name"))
        for item in declared or []
        if item.get("name") == source
        for table in item.get("tables") or []
    ]


def sources_on_have_a_folder(house: House) -> Iterator[Finding]:
    """A source in vars.sources has a folder."""
    for source in house.sources:
        if not any(path.startswith(f"models/staging/{source}/") for path in house.files):
            yield Finding(
                PROJECT_FILE, f"vars.sources lists '{source}', which has no folder",
                f"write models/staging/{source}, or take the line out",
            )  # fmt: skip


def python_models_are_thin(house: House) -> Iterator[Finding]:
    """A Python model hands its inputs to one tested function."""
    for path, text in house.files.items():
        lines = [line for line in text.splitlines() if line.strip()]
        if path.startswith("models/") and path.endswith(".py") and len(lines) > MAX_PYTHON_LINES:
            yield Finding(
                path, f"the Python model has {len(lines)} lines",
                f"move the work to a function in python/kindred; {MAX_PYTHON_LINES} at most",
            )  # fmt: skip


def unit_tests_have_a_model(house: House) -> Iterator[Finding]:
    """A unit test names a model that exists; dbt leaves out one that does not."""
    known = {
        PurePosixPath(path).stem
        for path in house.files
        if path.startswith("models/") and path.endswith((".sql", ".py"))
    }
    for path, content in house.parsed_yaml.items():
        listed = content.get("unit_tests") if isinstance(content, dict) else None
        for test in listed or []:
            if test.get("model") not in known:
                yield Finding(
                    path, f"the unit test '{test.get('name')}' is for '{test.get('model')}', "
                    "which is no model",
                    "mend the name of the model",
                )  # fmt: skip
            if not re.fullmatch(r"test__\w+", str(test.get("name"))):
                yield Finding(
                    path, f"the unit test '{test.get('name')}' is not named by the house rule",
                    "name it test__<model>__<what must hold>",
                )  # fmt: skip


RULES: tuple[Rule, ...] = (
    names_tell_the_room,
    folders_match_groups_and_schemas,
    everything_is_described,
    marts_are_public_and_others_are_not,
    public_models_keep_a_contract,
    keys_are_tested,
    keys_of_yaml_are_known,
    yaml_files_are_named_after_their_folder,
    only_base_models_read_sources,
    nothing_after_streams_knows_a_source,
    segments_are_registered,
    models_know_no_wall_clock,
    dialects_stay_in_cross_db,
    lines_are_short,
    source_folders_are_complete,
    sources_on_have_a_folder,
    python_models_are_thin,
    unit_tests_have_a_model,
)


def findings(house: House) -> list[Finding]:
    """Everything to mend, by file."""
    return sorted({finding for rule in RULES for finding in rule(house)})


def read_house(root: Path, manifest: Mapping[str, Any]) -> House:
    """The project at `root` as the rules see it."""
    files: dict[str, str] = {}
    for room in ROOMS:
        for path in sorted((root / room).rglob("*")):
            name = path.relative_to(root).as_posix()
            if path.suffix in (".sql", ".yml", ".yaml") or (
                path.suffix == ".py" and room == "models"
            ):
                if not name.startswith(("tests/python/", "tests/scenarios/")):
                    files[name] = path.read_text(encoding="utf-8")
            elif path.suffix == ".csv" and room == "seeds":
                files[name] = ""
    project_text = (root / PROJECT_FILE).read_text(encoding="utf-8")
    files[PROJECT_FILE] = project_text
    variables = (yaml.safe_load(project_text) or {}).get("vars") or {}
    return House(
        manifest,
        files,
        variables.get("sources") or {},
        tuple(variables.get("segments") or ()),
    )


def parse_project(root: Path, variables: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """dbt's manifest of the project at `root`, parsed afresh; no database is touched.

    The profile is the example one, so that a project without settings can be linted.
    """
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        shutil.copyfile(root / "profiles.example.yml", place / "profiles.yml")
        done = subprocess.run(  # noqa: S603 - our own interpreter, fixed arguments
            [
                sys.executable, "-c", "from dbt.cli.main import cli; cli()",
                "--no-use-colors", "--quiet", "parse", "--no-partial-parse",
                f"--project-dir={root}", f"--profiles-dir={place}",
                f"--target-path={place / 'target'}", f"--log-path={place / 'logs'}",
                *(["--vars", json.dumps(dict(variables))] if variables else []),
            ],
            cwd=root, env={**os.environ, "KINDRED_DATABASE": str(place / "none.duckdb")},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        manifest = place / "target" / "manifest.json"
        if done.returncode != 0 or not manifest.is_file():
            raise KindredError(
                f"dbt cannot read the project.\n{(done.stdout + done.stderr).strip()}",
                "mend what dbt names, then lint again.",
            )
        content: dict[str, Any] = json.loads(manifest.read_text(encoding="utf-8"))
        return content


def main(arguments: list[str] | None = None) -> int:
    """Lint the project and print the findings."""
    parser = argparse.ArgumentParser(prog="python -m kindred.lint", description=__doc__)
    parser.add_argument("--project-dir", type=Path, help="folder of dbt_project.yml")
    parser.add_argument("--manifest", type=Path, help="a manifest.json instead of parsing afresh")
    given = parser.parse_args(arguments)
    try:
        root = find_root(given.project_dir)
        manifest = (
            json.loads(given.manifest.read_text(encoding="utf-8"))
            if given.manifest
            else parse_project(root)
        )
    except KindredError as error:
        print(f"Error: {error.message}", file=sys.stderr)
        print(f"What to do: {error.hint}", file=sys.stderr)
        return 2
    found = findings(read_house(root, manifest))
    for finding in found:
        print(finding)
    print(f"{len(found)} to mend." if found else "Nothing to mend.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
