"""`kindred roles`: who may do what on Postgres, as SQL or set up at once."""

from __future__ import annotations

from pathlib import Path

import click

from kindred.cli._shared import console, project_options
from kindred.errors import KindredError
from kindred.project import load_profile, load_project


@click.command("roles")
@project_options
@click.option("--apply", is_flag=True, help="Run the SQL, as the user of the target.")
@click.option(
    "--own-database",
    is_flag=True,
    help="Nobody else uses the database: who has none of the roles may not connect.",
)
def command(project_dir: Path | None, target: str | None, apply: bool, own_database: bool) -> None:
    """Print the SQL that sets up who may do what on Postgres.

    Four roles: the owner of everything, who builds, who reads masked views (BI), who reads every
    value (privacy). The var postgres_roles names them. The SQL can be run again at any time; run
    it once more where `kindred doctor` finds other rights than these.

    Example: kindred roles --target postgres | psql --dbname warehouse
    """
    from kindred.warehouse import roles
    from kindred.warehouse.postgres import is_postgres

    project = load_project(project_dir)
    profile = load_profile(project, target)
    if not is_postgres(profile):
        raise KindredError(
            f"Target '{profile.target}' is of type '{profile.type}', which knows no roles.",
            "name a Postgres target with --target; who may read a DuckDB file is a matter of the "
            "rights on files.",
        )
    if not apply:
        click.echo(roles.script(project, profile, is_own_database=own_database))
        return
    roles.apply(project, profile, is_own_database=own_database)
    names = roles.roles_of(project)
    screen = console()
    screen.print(f"The roles {names.owner}, {names.build}, {names.bi}, {names.privacy} are set up.")
    screen.print(
        f"Grant {names.build} to the login that builds, with `role: {names.owner}` in its target; "
        f"{names.bi} to the logins of BI."
    )
