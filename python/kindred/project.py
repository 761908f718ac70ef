"""Where the project lies and what it says of itself: root, variables, profile, sources, segments.

dbt resolves all of this as well, but importing it takes seconds; the commands that only need a
path or a list read the files themselves, by dbt's rules.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from kindred.errors import KindredError, shown

PROJECT_FILE = "dbt_project.yml"
# A name that ends no quoted name and no text; the macro name_of_a_place says the same.
_PLACE = re.compile(r"""[^'"`{};\\\x00-\x1f]{1,63}""")


@dataclass(frozen=True)
class Project:
    """The dbt project: its folder and what `dbt_project.yml` says."""

    root: Path
    name: str
    profile_name: str
    variables: dict[str, Any]

    @property
    def sources(self) -> dict[str, list[str]]:
        """Sources that are on, each with the streams it feeds (`vars.sources`)."""
        return streams_by_source(self.variables.get("sources"))

    @property
    def segments(self) -> list[str]:
        """Names of the registered segments (`vars.segments`)."""
        listed = self.variables.get("segments") or []
        if not isinstance(listed, list):
            raise KindredError(
                "vars.segments is not a list.", "write one name a line, as `- new_customers`."
            )
        return [str(name) for name in listed]


@dataclass(frozen=True)
class Profile:
    """The resolved target of the dbt profile."""

    target: str
    type: str
    schema: str
    profiles_dir: Path
    database_path: Path | None
    settings: dict[str, Any] = field(default_factory=dict)

    def schema_of(self, folder: str) -> str:
        """Schema of the models of a folder, by the rule of the macro generate_schema_name."""
        return folder if self.schema == "kindred" else f"{self.schema}_{folder}"

    def duckdb_path(self) -> Path:
        """Path of the working DuckDB file; raises where the target is another engine."""
        if self.type != "duckdb" or self.database_path is None:
            raise KindredError(
                f"Target '{self.target}' is of type '{self.type}'; Kindred works on the types "
                "duckdb and postgrespy (Postgres).",
                "choose such a target with --target, or compare profiles.yml with "
                "profiles.example.yml.",
            )
        return self.database_path


@dataclass(frozen=True)
class RawColumn:
    """A column that staging reads from a raw table."""

    name: str
    is_required: bool


@dataclass(frozen=True)
class RawTable:
    """A raw table that staging reads, as the sources YAML declares it."""

    source: str
    name: str
    is_required: bool
    columns: tuple[RawColumn, ...]


def find_root(start: Path | None = None) -> Path:
    """The folder of `dbt_project.yml`, at or above `start`.

    Without `start`: `KINDRED_PROJECT_DIR`, else the current folder. Raises KindredError where
    there is none.
    """
    given = start or (
        Path(os.environ["KINDRED_PROJECT_DIR"]) if os.environ.get("KINDRED_PROJECT_DIR") else None
    )
    folder = (given or Path.cwd()).resolve()
    for candidate in [folder, *folder.parents]:
        if (candidate / PROJECT_FILE).is_file():
            return candidate
        if given is not None:
            break
    raise KindredError(
        f"No {PROJECT_FILE} in {folder}" + ("." if given else " or above it."),
        "run the command inside the Kindred project, or name it with --project-dir.",
    )


def load_project(start: Path | None = None) -> Project:
    """Read the project at or above `start` (see `find_root`)."""
    root = find_root(start)
    content = read_yaml(root / PROJECT_FILE)
    name = str(content.get("name", "kindred"))
    variables = dict(content.get("vars") or {})
    own = variables.pop(name, None)
    if isinstance(own, dict):
        variables.update(own)
    return Project(root, name, str(content.get("profile", name)), variables)


def with_variables(project: Project, variables: dict[str, Any]) -> Project:
    """The project as it is with `--vars` laid over its own variables."""
    return Project(
        project.root, project.name, project.profile_name, {**project.variables, **variables}
    )


def read_yaml(path: Path) -> dict[str, Any]:
    """The mapping in a YAML file; KindredError with line and column where it cannot be read."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8-sig"))
    except (yaml.YAMLError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise KindredError(
            f"{path.name} is not valid YAML{where}.",
            "check indents and quotes there." if mark else f"mend this: {error}.",
        ) from error
    except OSError as error:
        raise KindredError(f"{path} cannot be read: {error.strerror}.") from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise KindredError(f"{path.name} holds no mapping of names to values.")
    return content


def parse_vars(text: str | None) -> dict[str, Any]:
    """`--vars` as a mapping; YAML or JSON, as dbt takes it."""
    if not text:
        return {}
    try:
        content = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError) as error:
        # A date that is none, as 2026-13-01, is no YAML either.
        raise KindredError(
            "--vars is not valid YAML.", "write it as --vars '{as_of: \"2026-01-31\"}'."
        ) from error
    if not isinstance(content, dict):
        raise KindredError(
            "--vars is not a mapping of names to values.",
            "write it as --vars '{as_of: \"2026-01-31\"}'.",
        )
    return content


def streams_by_source(value: Any) -> dict[str, list[str]]:
    """`vars.sources` checked: a mapping of source to a list of streams."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise KindredError(
            "vars.sources is not a mapping of sources to streams.",
            "write one source a line, as `stripe: [person_records, record_transactions]`.",
        )
    checked: dict[str, list[str]] = {}
    for source, streams in value.items():
        if streams is not None and not isinstance(streams, list):
            raise KindredError(
                f"vars.sources: what '{source}' feeds is not a list.",
                f"write `{source}: [person_records]`.",
            )
        checked[str(source)] = [str(stream) for stream in streams or []]
    return checked


def configured_schemas(project: Project) -> list[str]:
    """Schemas that dbt_project.yml gives to folders of models and seeds (`+schema`), sorted."""
    content = read_yaml(project.root / PROJECT_FILE)
    found: set[str] = set()

    def look(node: Any) -> None:
        for key, value in node.items() if isinstance(node, dict) else ():
            if key in ("+schema", "schema") and isinstance(value, str):
                found.add(value)
            look(value)

    for kind in ("models", "seeds", "snapshots"):
        look(content.get(kind))
    return sorted(found)


def known_sources(project: Project) -> list[str]:
    """Sources that can be switched on: folders of models/staging with a sources YAML.

    The suppression list is read in staging too, but feeds no stream and is always on.
    """
    staging = project.root / "models" / "staging"
    folders = {path.parent for path in staging.glob("*/*sources.yml")} - {staging / "privacy"}
    return sorted(folder.name for folder in folders)


def known_streams(project: Project) -> list[str]:
    """Streams that sources can pour into: models of models/intermediate/streams."""
    folder = project.root / "models" / "intermediate" / "streams"
    return sorted(path.stem for path in folder.glob("*.sql"))


def segment_files(project: Project) -> list[str]:
    """Names of the segments that have a file models/segments/seg_<name>.sql."""
    folder = project.root / "models" / "segments"
    return sorted(path.stem.removeprefix("seg_") for path in folder.rglob("seg_*.sql"))


def source_schema(project: Project, source: str) -> str:
    """Schema of the raw tables of `source` (var `<source>_schema`, else the source's name).

    Raises KindredError where it cannot name a schema.
    """
    setting = f"{source}_schema"
    return checked_place(str(project.variables.get(setting) or source), f"var {setting}")


def checked_place(name: str, setting: str) -> str:
    """The name of a schema or database as it is; KindredError where it could end a quoted name."""
    if not _PLACE.fullmatch(name):
        raise KindredError(
            f"The {setting} is no name of a schema or database.",
            "write one without quotes, braces and semicolons, of 63 letters at most.",
        )
    return name


def raw_tables(project: Project, source: str) -> list[RawTable]:
    """Raw tables that the sources YAML of `source` declares; empty where there is no such file."""
    folder = project.root / "models" / "staging" / source
    found: list[RawTable] = []
    for path in sorted(folder.glob("*sources.yml")):
        for declared in read_yaml(path).get("sources") or []:
            if declared.get("name") == source:
                found += [_raw_table(source, table) for table in declared.get("tables") or []]
    return found


def _raw_table(source: str, declared: dict[str, Any]) -> RawTable:
    columns = tuple(
        RawColumn(str(column["name"]), _is_required(column))
        for column in declared.get("columns") or []
    )
    return RawTable(source, str(declared["name"]), _is_required(declared), columns)


def _is_required(node: dict[str, Any]) -> bool:
    """Whether a table or column is marked `config.meta.required` (or `meta.required`)."""
    meta = {**(node.get("meta") or {}), **((node.get("config") or {}).get("meta") or {})}
    return bool(meta.get("required", False))


def profiles_directory(project: Project) -> Path:
    """Folder of profiles.yml by dbt's order: DBT_PROFILES_DIR, the project, ~/.dbt."""
    given = os.environ.get("DBT_PROFILES_DIR")
    places = [Path(given)] if given else [project.root, Path.home() / ".dbt"]
    for place in places:
        if (place / "profiles.yml").is_file():
            return place.resolve()
    raise KindredError(
        f"No profile: there is no profiles.yml in {' or '.join(str(place) for place in places)}.",
        "copy profiles.example.yml to profiles.yml.",
    )


def load_profile(project: Project, target: str | None = None) -> Profile:
    """The target `target` (or the profile's own default) of the project's profile."""
    folder = profiles_directory(project)
    content = read_yaml(folder / "profiles.yml")
    profile = content.get(project.profile_name)
    if not isinstance(profile, dict):
        raise KindredError(
            f"profiles.yml in {folder} has no profile '{project.profile_name}'.",
            "copy the profile from profiles.example.yml into it.",
        )
    outputs = profile.get("outputs") or {}
    name = target or str(_rendered(profile.get("target", "default")))
    if name not in outputs:
        known = ", ".join(sorted(outputs)) or "none"
        raise KindredError(
            f"The profile has no target '{shown(name)}'; it has: {known}.",
            "name one of these with --target.",
        )
    settings = {key: _rendered(value) for key, value in outputs[name].items()}
    kind = str(settings.get("type", ""))
    path = _database_path(project, settings) if kind == "duckdb" else None
    database = path.stem if path else str(settings.get("dbname") or "none")
    checked_place(database, f"database of the target '{shown(name)}' in profiles.yml")
    schema = str(settings.get("schema", "main"))
    return Profile(
        target=name,
        type=kind,
        schema=checked_place(schema, f"schema of the target '{shown(name)}' in profiles.yml"),
        profiles_dir=folder,
        database_path=path,
        settings=settings,
    )


def _database_path(project: Project, settings: dict[str, Any]) -> Path:
    path = str(settings.get("path") or ":memory:")
    if path == ":memory:" or path.startswith("md:") or "://" in path:
        raise KindredError(
            f"The profile's database path is '{path}'; Kindred works in a file of its own.",
            "set `path` in profiles.yml to a file name, as kindred_build.duckdb.",
        )
    # dbt runs in the project's root, so a relative path means there.
    return (project.root / Path(path).expanduser()).resolve()


def _rendered(value: Any) -> Any:
    """A profile value with its Jinja rendered: `env_var` and dbt's type filters."""
    if isinstance(value, dict):
        return {key: _rendered(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_rendered(inner) for inner in value]
    if not isinstance(value, str) or "{" not in value:
        return value
    from jinja2 import Environment, TemplateError

    # The template is the user's own profile and its output is YAML, not HTML.
    environment = Environment()  # noqa: S701
    for name in ("as_number", "as_native", "as_bool", "as_text"):
        environment.filters[name] = lambda inner: inner
    try:
        text = environment.from_string(value).render(env_var=_env_var)
    except TemplateError as error:
        raise KindredError(
            "profiles.yml holds a template that cannot be rendered.",
            "compare it with profiles.example.yml.",
        ) from error
    return text


def _env_var(name: str, default: str | None = None) -> str:
    """`env_var` of dbt profiles."""
    value = os.environ.get(name, default)
    if value is None:
        raise KindredError(
            f"The profile needs the environment variable {name}, which is not set.",
            f"set {name}, or give it a default in profiles.yml.",
        )
    return value
