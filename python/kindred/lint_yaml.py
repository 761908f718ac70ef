"""The keys that dbt 1.11 reads in its YAML files, and a check that no other key is written.

dbt takes an unknown key in silence, so that `descripton:` is a missing description and `enforce:`
a contract that is not enforced. Legacy spellings (`tests`, `meta` outside `config`) are left out
on purpose: one way to say a thing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import yaml

ANY = None
"""A value that the check does not look into."""


@dataclass(frozen=True)
class UnknownKey:
    """A key that dbt does not read: where it stands and what may have been meant."""

    place: str
    key: str
    mend: str


def _keys(*names: str, **inner: Any) -> dict[str, Any]:
    """A mapping spec: names with any value, and keys whose values have a spec of their own."""
    return {**dict.fromkeys(names, ANY), **inner}


DOCS = _keys("show", "node_color")
PERSIST_DOCS = _keys("relation", "columns")
QUOTING = _keys("database", "schema", "identifier")
CONTRACT = _keys("enforced", "alias_types")
OWNER = _keys("name", "email", "slack", "github")
AGE = _keys("count", "period")
FRESHNESS = _keys("filter", warn_after=AGE, error_after=AGE)
CONSTRAINT = _keys(
    "type", "name", "expression", "columns", "to", "to_columns", "warn_unenforced",
    "warn_unsupported",
)  # fmt: skip
META_ONLY = _keys("meta", "tags", "enabled")

NODE_CONFIG = _keys(
    "enabled", "schema", "database", "alias", "tags", "meta", "group", "access", "grants",
    "full_refresh", "pre_hook", "post_hook", "event_time",
    docs=DOCS, persist_docs=PERSIST_DOCS, quoting=QUOTING, contract=CONTRACT,
)  # fmt: skip
MODEL_CONFIG = NODE_CONFIG | _keys(
    "materialized", "unique_key", "incremental_strategy", "incremental_predicates",
    "on_schema_change", "on_configuration_change", "indexes", "unlogged", "packages",
    "submission_method", "python_version", "batch_size", "lookback", "begin",
    "concurrent_batches", "sql_header", "freshness", "static_analysis",
)  # fmt: skip
SEED_CONFIG = NODE_CONFIG | _keys("quote_columns", "column_types", "delimiter")
TEST_CONFIG = _keys(
    "enabled", "severity", "warn_if", "error_if", "fail_calc", "limit", "where", "store_failures",
    "store_failures_as", "tags", "meta", "schema", "database", "alias", "group", "sql_header",
)  # fmt: skip
SOURCE_CONFIG = _keys(
    "enabled", "meta", "tags", "event_time", "loaded_at_field", "loaded_at_query",
    freshness=FRESHNESS,
)  # fmt: skip

TEST = "a data test"
"""Marks a list of data tests: names, or a mapping of one name to its properties."""
TEST_PROPERTIES = _keys("arguments", "name", "description", config=TEST_CONFIG)

COLUMN = _keys(
    "name", "description", "data_type", "quote", "granularity",
    config=_keys("meta", "tags"), constraints=[CONSTRAINT], data_tests=TEST,
)  # fmt: skip
TIME_SPINE = _keys(
    "standard_granularity_column", custom_granularities=[_keys("name", "column_name")]
)
MODEL = _keys(
    "name", "description", "latest_version", "deprecation_date", "versions",
    config=MODEL_CONFIG, constraints=[CONSTRAINT], columns=[COLUMN], data_tests=TEST, docs=DOCS,
    time_spine=TIME_SPINE,
)  # fmt: skip
SEED = _keys(
    "name", "description", config=SEED_CONFIG, columns=[COLUMN], data_tests=TEST, docs=DOCS
)
TABLE = _keys(
    "name", "description", "identifier", "loader", "external",
    config=SOURCE_CONFIG, columns=[COLUMN], data_tests=TEST, quoting=QUOTING,
)  # fmt: skip
SOURCE = _keys(
    "name", "description", "database", "schema", "loader", "overrides",
    config=SOURCE_CONFIG, tables=[TABLE], quoting=QUOTING,
)  # fmt: skip
ROWS = _keys("rows", "format", "fixture")
UNIT_TEST = _keys(
    "name", "description", "model", "versions",
    given=[_keys("input") | ROWS], expect=ROWS, overrides=_keys("macros", "vars", "env_vars"),
    config=META_ONLY,
)  # fmt: skip
EXPOSURE = _keys(
    "name", "description", "label", "type", "maturity", "url", "depends_on",
    owner=OWNER, config=META_ONLY,
)  # fmt: skip
MACRO = _keys(
    "name", "description", arguments=[_keys("name", "type", "description")],
    docs=DOCS, config=_keys("meta", docs=DOCS),
)  # fmt: skip
ANALYSIS = _keys("name", "description", columns=[COLUMN], config=META_ONLY | _keys(docs=DOCS))
SINGULAR_TEST = _keys("name", "description", config=TEST_CONFIG)
GROUP = _keys("name", "description", owner=OWNER, config=_keys("meta"))
PART_CONFIG = _keys("meta")
SEMANTIC_MODEL = _keys(
    "name", "description", "label", "model", "primary_entity",
    defaults=_keys("agg_time_dimension"),
    entities=[_keys("name", "type", "expr", "role", "description", "label", config=PART_CONFIG)],
    dimensions=[_keys(
        "name", "type", "expr", "description", "label", "is_partition",
        type_params=_keys("time_granularity", "validity_params"), config=PART_CONFIG,
    )],
    measures=[_keys(
        "name", "description", "label", "agg", "expr", "agg_params", "agg_time_dimension",
        "non_additive_dimension", "create_metric", config=PART_CONFIG,
    )],
    config=_keys("enabled", "group", "meta"),
)  # fmt: skip
METRIC = _keys(
    "name", "description", "label", "type", "type_params", "filter", "time_granularity",
    config=_keys("enabled", "group", "meta", "tags"),
)  # fmt: skip
SAVED_QUERY = _keys(
    "name", "description", "label",
    query_params=_keys("metrics", "group_by", "where", "order_by", "limit"),
    exports=[_keys("name", config=_keys("export_as", "schema", "alias"))],
    config=_keys("enabled", "group", "meta", "tags", "cache"),
)  # fmt: skip
FUNCTION = _keys(
    "name", "description", "arguments", "returns", config=_keys("enabled", "meta", "tags", "type")
)

PROPERTIES = _keys(
    "version",
    models=[MODEL], sources=[SOURCE], seeds=[SEED], exposures=[EXPOSURE], macros=[MACRO],
    analyses=[ANALYSIS], data_tests=[SINGULAR_TEST], unit_tests=[UNIT_TEST], groups=[GROUP],
    semantic_models=[SEMANTIC_MODEL], metrics=[METRIC], saved_queries=[SAVED_QUERY],
    functions=[FUNCTION],
)  # fmt: skip
"""The spec of a properties file: anything under models/, seeds/, macros/, tests/, analyses/."""

FLAGS = _keys(
    "send_anonymous_usage_stats", "require_generic_test_arguments_property",
    "validate_macro_args", "use_colors", "partial_parse", "fail_fast", "indirect_selection",
    "warn_error", "warn_error_options", "require_resource_names_without_spaces",
)  # fmt: skip
PROJECT = _keys(
    "name", "version", "config-version", "profile", "require-dbt-version", "model-paths",
    "macro-paths", "seed-paths", "test-paths", "analysis-paths", "snapshot-paths",
    "function-paths", "asset-paths", "docs-paths", "target-path", "log-path",
    "packages-install-path", "clean-targets", "vars", "dispatch", "on-run-start", "on-run-end",
    "query-comment", "quoting", "models", "seeds", "sources", "snapshots", "data_tests",
    "unit_tests", "exposures", "metrics", "semantic-models", "saved-queries",
    flags=FLAGS,
)  # fmt: skip
"""The spec of dbt_project.yml; the trees of folder configurations are `folder_keys`'s."""

LEGACY = {
    "tests": "write `data_tests`",
    "meta": "write it under `config`",
    "tags": "write it under `config`",
    "access": "write it under `config`",
    "group": "write it under `config`",
    "freshness": "write it under `config`",
    "loaded_at_field": "write it under `config`",
}


class _StrictLoader(yaml.SafeLoader):
    """YAML that refuses a key written twice; the second would win in silence."""


def _mapping(loader: _StrictLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: set[Any] = set()
    for key_node, _ in node.value:
        key = loader.construct_object(key_node, deep=True)
        if isinstance(key, (str, int, float, bool)) and key != "<<" and key in seen:
            raise yaml.constructor.ConstructorError(
                None, None, f"the key '{key}' is written twice", key_node.start_mark
            )
        seen.add(key if isinstance(key, (str, int, float, bool)) else repr(key))
    loader.flatten_mapping(node)
    return loader.construct_mapping(node, deep=True)


_StrictLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def read_strict(text: str) -> Any:
    """The content of a YAML text; yaml.YAMLError where it is none or a key is written twice."""
    # A SafeLoader with one more refusal.
    return yaml.load(text, Loader=_StrictLoader)  # noqa: S506


def unknown_keys(content: Any, spec: Any, place: str = "") -> Iterator[UnknownKey]:
    """Keys of `content` that `spec` does not know, depth first."""
    if spec is ANY:
        return
    if spec == TEST:
        for test in content if isinstance(content, list) else []:
            yield from _unknown_in_test(test, place)
    elif isinstance(spec, list):
        for position, item in enumerate(content if isinstance(content, list) else []):
            name = item.get("name", position + 1) if isinstance(item, dict) else position + 1
            yield from unknown_keys(item, spec[0], f"{place}[{name}]")
    elif isinstance(content, dict):
        for key, value in content.items():
            if key in spec:
                yield from unknown_keys(value, spec[key], f"{place}.{key}".lstrip("."))
            else:
                yield UnknownKey(place or "top level", str(key), mend_of(str(key), spec))


def _unknown_in_test(test: Any, place: str) -> Iterator[UnknownKey]:
    if not isinstance(test, dict):
        return
    if "test_name" in test:
        spec = TEST_PROPERTIES | _keys("test_name")
        yield from unknown_keys(test, spec, f"{place}.{test['test_name']}")
        return
    names = [key for key in test if key not in ("config", "name", "description")]
    for name in names[:1]:
        yield from unknown_keys(test[name], TEST_PROPERTIES, f"{place}.{name}")
    for key in names[1:]:
        yield UnknownKey(place, str(key), "indent it under the name of the data test")


def folder_keys(tree: Any, config: dict[str, Any], folders: set[str]) -> Iterator[UnknownKey]:
    """Unknown keys of a tree such as `models.kindred` in dbt_project.yml.

    Keys with a plus are configurations, all others must be folders (`folders`: paths below the
    root of the tree, joined by slashes).
    """
    yield from _folder_keys(tree, config, folders, "")


def _folder_keys(
    tree: Any, config: dict[str, Any], folders: set[str], path: str
) -> Iterator[UnknownKey]:
    for key, value in tree.items() if isinstance(tree, dict) else []:
        below = f"{path}/{key}".lstrip("/")
        if str(key).startswith("+"):
            if key[1:] not in config:
                yield UnknownKey(path or "top level", key, mend_of(key[1:], config))
            else:
                yield from unknown_keys(value, config[key[1:]], f"{path}.{key}")
        elif below not in folders:
            yield UnknownKey(
                path or "top level", str(key), "there is no such folder; mend the name"
            )
        else:
            yield from _folder_keys(value, config, folders, below)


def mend_of(key: str, spec: dict[str, Any]) -> str:
    """What the writer of an unknown key may have meant."""
    close = get_close_matches(key, list(spec), 1)
    if close:
        return f"write `{close[0]}`"
    if key in LEGACY:
        return LEGACY[key]
    return f"known here: {', '.join(sorted(spec))}"
