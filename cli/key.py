"""`asrd key`: make, list and revoke the keys that let other machines connect."""

import json
from pathlib import Path

import click

from asrd.cli.plain import print_table
from asrd.cli.say import echo
from asrd.core.errors import AsrdError, UsageError
from asrd.core.key import Key, create, find, places
from asrd.core.roles import Role, ordered
from asrd.core.roster import Roster

RELOAD = "a daemon that runs needs 'asrd reload'"


@click.group()
def key() -> None:
    """Make, list and revoke the keys that let other machines connect to a daemon.

    A daemon has a key, which is a file. All that is sent over TCP is then encrypted, and only those with a key get in.
    Without one, a daemon is open to programs of its own machine alone.

    A client may have a copy of the daemon's key, and then do everything, or one of its own that lets it listen, speak
    or control, and can be revoked.

    A key is looked for in $ASRD_KEY, 'key' in asrd.toml, and where 'asrd key new' puts it; "none" means none.

    \b
    Example:
      asrd key new                                    # the daemon's
      asrd key new desk --role listen
      scp desk.key desk:.config/asrd/asrd.key
      asrd start --events tcp://0.0.0.0:7007
      asrd listen --events tcp://HOST:7007            # at the desk
    """


@key.command()
@click.argument("name", required=False)
@click.option(
    "--role",
    "roles",
    multiple=True,
    type=click.Choice([role.value for role in Role]),
    help="What the client may do: listen (the default), speak (send audio), control (everything). Repeatable.",
)
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file to write: by default NAME.key here, or for a daemon's key the place where asrd looks for it.",
)
def new(name: str | None, roles: tuple[str, ...], output: Path | None) -> None:
    """Make the daemon's key, or a key for a client.

    A client has a NAME, and is entered in the daemon's list: clients.toml, beside the daemon's key. The file that is
    written holds all that the client needs to connect.

    \b
    Examples:
      asrd key new
      asrd key new desk --role listen --role speak -o /media/stick/desk.key
    """
    if name is None:
        if roles:
            raise UsageError("--role is for a client's key; name the client, as in 'asrd key new desk --role listen'")
        made = create(output or places()[0])
        echo(f"{made.path}: copy it to each client over a secure channel, as {places()[0]}")
        return
    path = output or Path(f"{name}.key")
    client = Roster(_daemons()).add(name, frozenset(map(Role, roles or [Role.LISTEN])), path)
    echo(f"{path}: move it to {name} over a secure channel, as {places()[0]}")
    echo(f"{name} may {' and '.join(ordered(client.roles))}; {RELOAD}", err=True)


@key.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, a line for each client.")
def list_(as_json: bool) -> None:
    """List the clients that have keys of their own.

    \b
    Example:
      asrd key list
    """
    clients = Roster(_daemons()).read().values()
    if as_json:
        for client in clients:
            entry = {"name": client.name, "roles": ordered(client.roles), "made": client.made.isoformat()}
            echo(json.dumps(entry | {"fingerprint": client.fingerprint}))
        return
    from rich.table import Table

    table = Table("name", "roles", "made", "fingerprint", box=None, padding=(0, 1, 0, 0))
    for client in clients:
        table.add_row(client.name, " ".join(ordered(client.roles)), f"{client.made:%Y-%m-%d}", client.fingerprint)
    print_table(table)


@key.command()
@click.argument("name")
def revoke(name: str) -> None:
    """Shut a client out: its key is not admitted any more.

    \b
    Example:
      asrd key revoke desk && asrd reload
    """
    client = Roster(_daemons()).revoke(name)
    echo(f"revoked the key {client.fingerprint} of {name}; {RELOAD}", err=True)


@key.command()
def show() -> None:
    """Show the public half of the key in use.

    \b
    Example:
      asrd key show
    """
    found = _required("copy the daemon's")
    echo(f"{found.public}  {found.path}")


def _daemons() -> Key:
    return _required("name it with ASRD_KEY")


def _required(remedy: str) -> Key:
    found = find()
    if not found:
        raise AsrdError(f"there is no key; make one with 'asrd key new', or {remedy}")
    return found
