"""Who may do what on Postgres: four roles, set up by a script that can be run again at any time.

- owner: everything that Kindred makes belongs to it; nobody logs in as it.
- build: may act as the owner. The login of the schedule gets it (`role:` in profiles.yml).
- bi: reads the masked views of `published`, and nothing else.
- privacy: reads `published` and the views of `published_restricted`.

Names come from the var `postgres_roles`. What PUBLIC may do is taken back in Kindred's schemas.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from kindred.errors import KindredError
from kindred.project import Profile, Project, configured_schemas, source_schema
from kindred.warehouse.database import Connection, literal, quoted
from kindred.warehouse.loading_postgres import LEDGER
from kindred.warehouse.postgres import connected
from kindred.warehouse.publication_postgres import MASKED, RESTRICTED, run_schema_pattern

PURPOSES = ("owner", "build", "bi", "privacy")
# dbt writes the name of a role unquoted.
_PLAIN_NAME = re.compile(r"(?!pg_|public$)[a-z_][a-z0-9_]{0,62}")


@dataclass(frozen=True)
class Roles:
    """Names of the four roles."""

    owner: str
    build: str
    bi: str
    privacy: str


def roles_of(project: Project) -> Roles:
    """The roles of the var `postgres_roles`; KindredError where it makes no sense."""
    given = project.variables.get("postgres_roles") or {}
    hint = "write it as {owner: kindred_owner, build: kindred_build, bi: kindred_bi, ...}."
    if not isinstance(given, dict) or set(given) - set(PURPOSES):
        raise KindredError(
            "vars.postgres_roles names other roles than owner, build, bi, privacy.", hint
        )
    names = {purpose: str(given.get(purpose) or f"kindred_{purpose}") for purpose in PURPOSES}
    wrong = [name for name in names.values() if not _PLAIN_NAME.fullmatch(name)]
    if wrong:
        raise KindredError(
            f"vars.postgres_roles: '{wrong[0][:80]}' is no plain name of a role.",
            "use small letters, digits and underscores.",
        )
    if len(set(names.values())) < len(names):
        raise KindredError("vars.postgres_roles names one role twice.", "give each its own name.")
    return Roles(**names)


@dataclass(frozen=True)
class Places:
    """Schemas by what they hold. `runs` is a pattern of Postgres: the tables behind the views."""

    masked: str
    restricted: str
    runs: str
    working: tuple[str, ...]
    raw: tuple[str, ...]


def places_of(project: Project, profile: Profile) -> Places:
    """The schemas of a target."""
    folders = [profile.schema_of(name) for name in configured_schemas(project)]
    privacy = str(project.variables.get("privacy_schema") or "privacy")
    loads = LEDGER.partition(".")[0]
    raw = {source_schema(project, source) for source in project.sources}
    return Places(
        masked=profile.schema_of(MASKED),
        restricted=profile.schema_of(RESTRICTED),
        runs=run_schema_pattern(profile),
        working=tuple(sorted({profile.schema, privacy, loads, *folders})),
        raw=tuple(sorted(raw)),
    )


def script(project: Project, profile: Profile, *, is_own_database: bool = False) -> str:
    """SQL that sets the roles up, in one transaction; run again, it mends what has changed.

    is_own_database: nobody else uses the database, so that PUBLIC may no longer connect to it.
    """
    roles, places = roles_of(project), places_of(project, profile)
    settings = profile.settings
    database = str(settings.get("dbname") or settings.get("database") or "")
    parts = [
        _heading(database),
        _create_roles(roles),
        _database(roles, quoted(database), is_own_database),
        _take_over(roles, places),
        _read_raw(roles, places),
        _nothing_else(roles),
        _published(roles, places),
        "commit;\n",
    ]
    return "\n".join(parts)


def _heading(database: str) -> str:
    return f"""\
-- Roles of Kindred in the database {database}. Run it there, as a superuser or as the owner of the
-- database with the right to create roles. It can be run again at any time.
begin;
"""


def _create_roles(roles: Roles) -> str:
    names = ", ".join(literal(name) for name in (roles.owner, roles.build, roles.bi, roles.privacy))
    return f"""\
-- Nobody logs in as these: grant {roles.build}, {roles.bi} or {roles.privacy} to logins.
do $kindred$
declare
    role_name text;
begin
    foreach role_name in array array[{names}] loop
        if not exists (select from pg_roles where rolname = role_name) then
            execute format('create role %I nologin', role_name);
        end if;
    end loop;
    if not (select rolsuper from pg_roles where rolname = current_user) then
        execute format('grant %I to current_user', {literal(roles.owner)});
    end if;
end
$kindred$;
grant {roles.owner} to {roles.build};
"""  # noqa: S608 - names are checked or quoted


def _database(roles: Roles, database: str, is_own_database: bool) -> str:
    lines = ["-- Who may come in."]
    if is_own_database:
        lines += [
            f"revoke connect, temporary, create on database {database} from public;",
            "revoke create on schema public from public;",
        ]
    lines += [
        f"grant connect, create, temporary on database {database} to {roles.owner};",
        f"grant connect on database {database} to {roles.build}, {roles.bi}, {roles.privacy};",
    ]
    return "\n".join(lines) + "\n"


def _take_over(roles: Roles, places: Places) -> str:
    return f"""\
-- What is there already goes to the owner: Kindred's schemas, and what `kindred load` has loaded.
do $kindred$
declare
    one record;
    loaded text[] := array[]::text[];
begin
    if to_regclass({literal(LEDGER)}) is not null then
        execute 'select array_agg(distinct schema_name) from {LEDGER}' into loaded;
    end if;
    for one in
        select oid, nspname, nspowner
        from pg_namespace
        where {_is_ours("nspname", places)} or nspname = any (loaded)
    loop
        if one.nspowner <> {literal(roles.owner)}::regrole then
            execute format('alter schema %I owner to {roles.owner}', one.nspname);
        end if;
    end loop;
    for one in
        select
            case pg_class.relkind
                when 'v' then 'view'
                when 'm' then 'materialized view'
                else 'table'
            end as kind,
            format('%I.%I', pg_namespace.nspname, pg_class.relname) as name
        from pg_class
        inner join pg_namespace on pg_namespace.oid = pg_class.relnamespace
        where
            ({_is_ours("nspname", places)} or nspname = any (loaded))
            and pg_class.relkind in ('r', 'p', 'v', 'm')
            and pg_class.relowner <> {literal(roles.owner)}::regrole
    loop
        execute format('alter %s %s owner to {roles.owner}', one.kind, one.name);
    end loop;
end
$kindred$;
"""  # noqa: S608 - names are checked or quoted


def _read_raw(roles: Roles, places: Places) -> str:
    return f"""\
-- Raw tables of other loaders stay theirs: the owner reads them, and those that will come.
do $kindred$
declare
    one record;
begin
    for one in
        select nspname, pg_get_userbyid(nspowner) as loader
        from pg_namespace
        where nspname = any ({_names(places.raw)}) and nspowner <> {literal(roles.owner)}::regrole
    loop
        begin
            execute format('grant usage on schema %I to {roles.owner}', one.nspname);
            execute format('grant select on all tables in schema %I to {roles.owner}', one.nspname);
            execute format(
                'alter default privileges for role %I in schema %I'
                ' grant select on tables to {roles.owner}',
                one.loader,
                one.nspname
            );
        exception when insufficient_privilege then
            raise notice 'Ask % to let {roles.owner} read the schema %.', one.loader, one.nspname;
        end;
    end loop;
end
$kindred$;
"""  # noqa: S608 - names are checked or quoted


def _nothing_else(roles: Roles) -> str:
    everybody = f"public, {roles.bi}, {roles.privacy}"
    return f"""\
-- Whatever readers have been given so far in the owner's schemas is taken back,
revoke {roles.owner}, {roles.build} from {roles.bi}, {roles.privacy};
alter default privileges for role {roles.owner} revoke execute on functions from public;
do $kindred$
declare
    one record;
begin
    for one in
        select nspname from pg_namespace where nspowner = {literal(roles.owner)}::regrole
    loop
        execute format('revoke all on schema %I from {everybody}', one.nspname);
        execute format('revoke all on all tables in schema %I from {everybody}', one.nspname);
    end loop;
end
$kindred$;
"""  # noqa: S608 - names are checked or quoted


def _published(roles: Roles, places: Places) -> str:
    lines = ["-- and they are given what they shall read, now and after each publication."]
    readers = (
        (places.masked, f"{roles.bi}, {roles.privacy}"),
        (places.restricted, roles.privacy),
    )
    for schema, who in readers:
        name = quoted(schema)
        lines += [
            f"create schema if not exists {name} authorization {roles.owner};",
            f"grant usage on schema {name} to {who};",
            f"grant select on all tables in schema {name} to {who};",
            f"alter default privileges for role {roles.owner} in schema {name}"
            f" grant select on tables to {who};",
        ]
    return "\n".join(lines) + "\n"


def _names(names: tuple[str, ...]) -> str:
    return f"array[{', '.join(literal(name) for name in names)}]::text[]"


def _is_ours(column: str, places: Places) -> str:
    names = _names((*places.working, places.masked, places.restricted))
    return f"({column} = any ({names}) or {column} ~ {literal(places.runs)})"


def apply(project: Project, profile: Profile, *, is_own_database: bool = False) -> None:
    """Run the script as the login of the profile; KindredError where it may not."""
    import psycopg2

    with connected(profile, as_login=True) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            try:
                cursor.execute(script(project, profile, is_own_database=is_own_database))
            except psycopg2.errors.InsufficientPrivilege as error:
                reason = str(error).splitlines()[0].strip()
                raise KindredError(
                    f"The user '{profile.settings.get('user')}' may not set the roles up: "
                    f"{reason}.",
                    "run it as the owner of the database with the right to create roles, or give "
                    "the SQL that `kindred roles` prints to whoever may.",
                ) from error


def are_there(connection: Connection, roles: Roles) -> bool:
    """Whether the roles have been set up."""
    found = connection.execute(
        "select count(*) from pg_roles where rolname in (?, ?, ?, ?)",
        [roles.owner, roles.build, roles.bi, roles.privacy],
    ).fetchall()
    return bool(found[0][0] == len(PURPOSES))


def what_is_wrong(connection: Connection, roles: Roles, places: Places) -> list[str]:
    """How the rights differ from what the script sets up, a sentence each; empty where they do not.

    Asked of the rights that hold in the end, whoever gave them: by way of PUBLIC, of another role.
    """
    return [
        *_wrong_members(connection, roles),
        *_wrong_owners(connection, roles, places),
        *_wrong_readers(connection, roles, places),
    ]


def _wrong_members(connection: Connection, roles: Roles) -> Iterator[str]:
    for reader in (roles.bi, roles.privacy):
        for other in (roles.owner, roles.build):
            found = connection.execute("select pg_has_role(?, ?, 'member')", [reader, other])
            if found.fetchall()[0][0]:
                yield f"{reader} may act as {other}."
    found = connection.execute("select pg_has_role(?, ?, 'set')", [roles.build, roles.owner])
    if not found.fetchall()[0][0]:
        yield f"{roles.build} may not act as {roles.owner}."


def _wrong_owners(connection: Connection, roles: Roles, places: Places) -> Iterator[str]:
    found = connection.execute(
        f"""
        select distinct pg_namespace.nspname, pg_get_userbyid(pg_class.relowner)
        from pg_class
        inner join pg_namespace on pg_namespace.oid = pg_class.relnamespace
        where
            {_is_ours("nspname", places)}
            and pg_class.relkind in ('r', 'p', 'v', 'm')
            and pg_class.relowner <> ?::regrole
        order by 1, 2
        """,  # noqa: S608 - quoted names
        [roles.owner],
    ).fetchall()
    for schema, owner in found:
        yield f"Tables of the schema {schema} belong to {owner}, not to {roles.owner}."


def _wrong_readers(connection: Connection, roles: Roles, places: Places) -> Iterator[str]:
    found = connection.execute(
        f"""
        with readers as (
            select role_name, allowed
            from (values (?, ?::text[]), (?, ?::text[])) as given (role_name, allowed)
        ),

        rights as (
            select
                readers.role_name,
                pg_namespace.nspname,
                pg_namespace.nspname = any (readers.allowed) as is_allowed,
                bool_or(has_schema_privilege(readers.role_name, pg_namespace.oid, 'create'))
                    as can_create,
                bool_or(
                    has_schema_privilege(readers.role_name, pg_namespace.oid, 'usage')
                    and has_any_column_privilege(readers.role_name, pg_class.oid, 'select')
                ) as can_read,
                bool_and(
                    pg_class.oid is null
                    or has_schema_privilege(readers.role_name, pg_namespace.oid, 'usage')
                    and has_table_privilege(readers.role_name, pg_class.oid, 'select')
                ) as can_read_all,
                bool_or(
                    has_table_privilege(
                        readers.role_name, pg_class.oid, 'insert, update, delete, truncate'
                    )
                ) as can_change
            from pg_namespace
            cross join readers
            left join pg_class
                on
                    pg_class.relnamespace = pg_namespace.oid
                    and pg_class.relkind in ('r', 'p', 'v', 'm')
            where {_is_ours("nspname", places)} or pg_namespace.nspname = any ({_names(places.raw)})
            group by 1, 2, 3
        )

        select * from rights order by nspname, role_name
        """,  # noqa: S608 - quoted names
        [
            roles.bi,
            [places.masked],
            roles.privacy,
            [places.masked, places.restricted],
        ],
    ).fetchall()
    for role, schema, is_allowed, can_create, can_read, can_read_all, can_change in found:
        if can_read and not is_allowed:
            yield f"{role} can read the schema {schema}."
        if can_create or can_change:
            yield f"{role} can write to the schema {schema}."
        if is_allowed and not can_read_all:
            yield f"{role} cannot read the schema {schema}."


def acts_as(connection: Connection) -> str:
    """The role that a run acts as."""
    return str(connection.execute("select current_user").fetchall()[0][0])
