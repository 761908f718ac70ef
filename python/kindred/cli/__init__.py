"""The `kindred` command: each sub-command is a module of this package."""

from __future__ import annotations

import sys
import traceback
from importlib import import_module
from pathlib import Path
from types import TracebackType

import click

from kindred import __version__
from kindred.errors import KindredError
from kindred.warehouse.trouble import as_told

# Sub-command -> module that defines it; a module is imported only when its command is called, so
# that `kindred --help` stays fast.
COMMANDS: dict[str, str] = {
    "sample": "kindred.cli.sample",
    "load": "kindred.cli.load",
    "build": "kindred.cli.build",
    "check": "kindred.cli.check",
    "publish": "kindred.cli.publish",
    "report": "kindred.cli.report",
    "doctor": "kindred.cli.doctor",
    "backup": "kindred.cli.backup",
    "restore": "kindred.cli.restore",
    "roles": "kindred.cli.roles",
    "identity": "kindred.cli.identity",
}


class LazyGroup(click.Group):
    """A command group that imports the module of a sub-command when it is needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The sub-commands in the order people use them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The sub-command `cmd_name`, or None where there is none of that name."""
        module = COMMANDS.get(cmd_name)
        if module is None:
            return None
        command: click.Command = import_module(module).command
        return command


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="kindred")
def cli() -> None:
    """Kindred: unified, explained profiles of people and companies in your own warehouse."""


def report_defect(
    kind: type[BaseException], error: BaseException, frames: TracebackType | None
) -> None:
    """Tell of an error nobody foresaw in two lines, with exit code 2; where it was goes to a file.

    Neither holds the error's own text, which may quote a personal value.
    """
    log = Path("logs") / "kindred-defect.log"
    log.parent.mkdir(exist_ok=True)
    log.write_text("".join([*traceback.format_tb(frames), kind.__name__, "\n"]), encoding="utf-8")
    click.secho(f"Error: something nobody foresaw ({kind.__name__}).", fg="red", err=True)
    click.echo(f"What to do: report it, with the file {log}; it holds no data.", err=True)
    # Else it would be 1, which says that a critical check failed.
    sys.exit(2)


def main() -> None:
    """Run the command line; problems are told in two lines, never as a stack trace."""
    sys.excepthook = report_defect
    try:
        cli.main(standalone_mode=False)
    except KindredError as error:
        _tell(error)
    except (click.exceptions.Abort, KeyboardInterrupt):
        click.echo("Stopped.", err=True)
        sys.exit(2)
    except click.exceptions.Exit as done:
        sys.exit(done.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except Exception as error:
        told = as_told(error)
        if told is None:
            raise
        _tell(told)


def _tell(error: KindredError) -> None:
    click.secho(f"Error: {error.message}", fg="red", err=True)
    if error.hint:
        click.echo(f"What to do: {error.hint}", err=True)
    sys.exit(error.exit_code)
