"""`asrd key`: make and show the key that lets other machines connect."""

from pathlib import Path

import click

from asrd.cli.say import echo
from asrd.core.errors import AsrdError
from asrd.core.key import create, find, places


@click.group()
def key() -> None:
    """Make and show the key that lets other machines connect to a daemon.

    A daemon and its clients on other machines share a key, which is a file. All they send each other is then encrypted,
    and over TCP only those who have the file hear the daemon, ask it and speak to it. Without one, a daemon is open to
    programs of its own machine alone.

    It is looked for in $ASRD_KEY, 'key' in asrd.toml, and where 'asrd key new' puts it; "none" means none.

    \b
    Example:
      asrd key new
      scp ~/.config/asrd/asrd.key desk:.config/asrd/asrd.key
      asrd start --events tcp://0.0.0.0:7007
      asrd listen --events tcp://HOST:7007            # at the desk
    """


@key.command()
@click.argument("path", required=False, type=click.Path(path_type=Path, dir_okay=False))
def new(path: Path | None) -> None:
    """Make a key and write it to PATH, by default where asrd looks for it.

    \b
    Example:
      asrd key new /etc/asrd/asrd.key
    """
    made = create(path or places()[0])
    echo(f"{made.path}: copy it to each client over a secure channel, as {places()[0]}")


@key.command()
def show() -> None:
    """Show the public half of the key in use.

    \b
    Example:
      asrd key show
    """
    found = find()
    if not found:
        raise AsrdError("there is no key; make one with 'asrd key new', or copy the daemon's")
    echo(f"{found.public}  {found.path}")
