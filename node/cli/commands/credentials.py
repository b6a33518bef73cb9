"""Puts credentials for Git servers on a node, lists and removes them. A secret comes by a file or standard input.

The command lines of all programs can be read by every user of a machine, so no argument is a secret.
"""

import base64
import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from node.cli import documents
from node.cli.exits import usage
from node.cli.options import Call, asking, group
from node.cli.output import moment

_MOST_BYTES: Final = 64 * 1024

app: Final = group(
    "credential",
    "What opens the repositories of Git servers: kept by the node, given to Git only, never shown.",
    """
    pass show git/token | vupdate credential put https://git.example/shop/ - --user builder
    vupdate credential put ssh://git@git.example/ --key ./id_ed25519 --known-hosts ./known_hosts
    vupdate credential list
    """,
)
Prefix = Annotated[
    str, typer.Argument(metavar="URL-PREFIX", help="How the addresses begin that it is for.", show_default=False)
]


@asking(
    app,
    "put",
    examples="""
    pass show git/token | vupdate credential put https://git.example/shop/ - --user builder
    vupdate credential put https://git.example/ ./token --user builder
    vupdate credential put ssh://git@git.example/ --key ./id_ed25519 --known-hosts ./known_hosts
    """,
)
async def put(
    call: Call,
    prefix: Prefix,
    file: Annotated[
        Path | None,
        typer.Argument(help="Of HTTPS: what holds the token or password; '-': standard input.", show_default=False),
    ] = None,
    *,
    user: Annotated[str, typer.Option("--user", metavar="NAME", help="Of HTTPS: whose token or password it is.")] = "",
    key: Annotated[
        Path | None,
        typer.Option("--key", metavar="FILE", help="Of SSH: a private key without a passphrase; '-': standard input."),
    ] = None,
    known_hosts: Annotated[
        Path | None,
        typer.Option(
            "--known-hosts",
            metavar="FILE",
            help="Of SSH: the host's keys, as ssh-keyscan writes them.  [default: those that the node's user knows]",
        ),
    ] = None,
) -> None:
    """Keep what opens the repositories whose addresses begin so. The longest prefix that fits an address is used.

    Put again, it takes the place of what was kept for the prefix. No peer is ever given it.
    """
    given = _the_one(prefix, file, user, key, known_hosts)
    answer = await call.ask(
        documents.PUT_CREDENTIAL,
        prefix=prefix,
        secret=_base64(given),
        user=user,
        knownHosts=_base64(known_hosts) if known_hosts else "",
    )
    found = answer["putCredential"]
    call.out.document(found)
    call.out.say(f"the {found['kind'].lower()} for {found['prefix']} is kept: fingerprint {found['fingerprint']}")
    if found["kind"] == "KEY" and not found["knownHosts"]:
        call.out.note("The keys of its host must be in the known_hosts of the node's user; or give --known-hosts")


def _the_one(prefix: str, file: Path | None, user: str, key: Path | None, known_hosts: Path | None) -> Path:
    """The file that holds the secret."""
    if prefix.startswith("ssh://"):
        if key is None or file is not None or user:
            raise usage("for ssh:// give --key FILE, and the user in the prefix: ssh://git@host/")
        return key
    if file is None or not user or key is not None or known_hosts is not None:
        raise usage("for https:// give --user NAME and the file of the token or password, or '-' for standard input")
    return file


@asking(app, "list", examples="vupdate credential list")
async def show(call: Call) -> None:
    """List what is kept for Git servers. The secrets nobody is shown."""
    found = (await call.ask(documents.CREDENTIALS))["credentials"]
    call.out.document(found)
    call.out.table(
        ("for", "kind", "user", "put", "by", "fingerprint"),
        [
            (one["prefix"], one["kind"].lower(), one["user"], moment(one["at"]), one["by"], one["fingerprint"])
            for one in found
        ],
        empty="this node keeps no credential for a Git server",
    )


@asking(app, "remove", examples="vupdate credential remove https://git.example/shop/")
async def remove(call: Call, prefix: Prefix) -> None:
    """Keep a credential no more. What was built by it stays."""
    await call.ask(documents.REMOVE_CREDENTIAL, prefix=prefix)
    call.out.document({"removed": prefix})
    call.out.say(f"what was kept for {prefix} is gone")


def _base64(file: Path) -> str:
    try:
        if str(file) == "-":
            content = sys.stdin.buffer.read(_MOST_BYTES + 1)
        else:
            with file.open("rb") as stream:
                content = stream.read(_MOST_BYTES + 1)
    except OSError as error:
        raise usage(f"{file} can't be read: {error.strerror}") from error
    if not content:
        raise usage(f"{file} is empty: nothing was put")
    if len(content) > _MOST_BYTES:
        raise usage(f"{file} has more than {_MOST_BYTES // 1024} KiB: that is no credential")
    return base64.b64encode(content).decode()
