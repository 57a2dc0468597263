"""Units for systemd: of a machine's service and of a user's, and of their sockets."""

from pathlib import Path

FLAVOURS = ("system", "user")


def unit(flavour: str, program: str) -> str:
    """Return the unit of a flavour, for an asrd at this path."""
    text = Path(__file__).with_name(f"{flavour}.service").read_text(encoding="utf-8")
    return text.replace("@asrd@", program)


def socket(flavour: str) -> str:
    """Return the unit of a flavour's sockets."""
    return Path(__file__).with_name(f"{flavour}.socket").read_text(encoding="utf-8")


def kept(service: str) -> str:
    """Return the unit of a service that leaves its directory when it ends, as sockets of another unit are in it."""
    return service.replace("\nRuntimeDirectoryMode=", "\nRuntimeDirectoryPreserve=yes\nRuntimeDirectoryMode=")


def template(flavour: str, program: str) -> str:
    """Return the unit of several daemons, each with a name: `asrd@NAME.service`. A file NAME.env has its settings."""
    changes = {
        "Description=Streaming speech to text": "Description=Streaming speech to text (%i)",
        "[Service]": "[Service]\nEnvironmentFile=%E/asrd/%i.env",
        "RuntimeDirectory=asrd": "RuntimeDirectory=asrd-%i",
        "StateDirectory=asrd": "StateDirectory=asrd-%i",
    }
    return "\n".join(changes.get(line, line) for line in unit(flavour, program).split("\n"))
