"""Puts private files on a node, lists and removes them. A content comes by a file or standard input, and never back.

The command lines of all programs can be read by every user of a machine, so no argument is a content.
"""

import base64
import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from federation.limits import MIB, PRIVATE_FILE_BYTES
from node.cli import documents
from node.cli.exits import usage
from node.cli.options import Call, asking, group
from node.cli.output import moment, size

app: Final = group(
    "secret",
    "Private files of a service: secrets kept by the node, placed into versions, never in Git and never shown.",
    """
    vupdate service secret put shop tls.key ./tls.key
    vupdate service secret list shop
    """,
)
Service = Annotated[str, typer.Argument(help="The service's name.", show_default=False)]
Name = Annotated[str, typer.Argument(help="The file's name, as recipes call it, e.g. tls.key.", show_default=False)]


@asking(
    app,
    "put",
    examples="""
    vupdate service secret put shop tls.key ./tls.key
    pass show shop/db | vupdate service secret put shop db/password - --into conf/db.password
    """,
)
async def put(
    call: Call,
    service: Service,
    name: Name,
    file: Annotated[Path, typer.Argument(help="The file that holds it; '-': standard input.", show_default=False)],
    *,
    into: Annotated[
        str | None,
        typer.Option("--into", metavar="PATH", help="Place it there in each client version of this node."),
    ] = None,
) -> None:
    """Keep a file as a secret of a service. Put again, it has another content and goes where it went before.

    Without --into it is placed by recipes that name it. A version that holds a secret is given to no consumer.
    """
    content = base64.b64encode(_read(file)).decode()
    answer = await call.ask(documents.PUT_PRIVATE_FILE, service=service, name=name, content=content, into=into)
    found = answer["putPrivateFile"]
    call.out.document(found)
    call.out.say(f"{name} of {service} is kept: {size(found['size'])}, fingerprint {found['fingerprint']}")
    if found["into"]:
        call.out.note(f"It goes to {found['into']} in the client versions of {service} that are made from now on")
    else:
        call.out.note(
            f'A recipe places it: private = [ {{ name = "{name}", to = "…" }} ]; then: vupdate build {service}'
        )


@asking(app, "list", examples="vupdate service secret list shop")
async def show(call: Call, service: Service) -> None:
    """List the secrets of a service. What is in them nobody is shown."""
    found = (await call.ask(documents.PRIVATE_FILES, service=service))["privateFiles"]
    call.out.document(found)
    call.out.table(
        ("name", "placed", "size", "put", "by", "fingerprint"),
        [
            (
                one["name"],
                f"at {one['into']}" if one["into"] else "by the recipe",
                size(one["size"]),
                moment(one["at"]),
                one["by"],
                one["fingerprint"],
            )
            for one in found
        ],
        empty=f"this node keeps no secret of {service}",
    )


@asking(app, "remove", examples="vupdate service secret remove shop tls.key")
async def remove(call: Call, service: Service, name: Name) -> None:
    """Keep a secret no more. The versions that were made with it have it still."""
    await call.ask(documents.REMOVE_PRIVATE_FILE, service=service, name=name)
    call.out.document({"removed": name, "service": service})
    call.out.say(f"{name} of {service} is gone; the versions that were made with it have it still")


def _read(file: Path) -> bytes:
    try:
        if str(file) == "-":
            content = sys.stdin.buffer.read(PRIVATE_FILE_BYTES + 1)
        else:
            with file.open("rb") as stream:
                content = stream.read(PRIVATE_FILE_BYTES + 1)
    except OSError as error:
        raise usage(f"the secret can't be read from {file}: {error.strerror}") from error
    if not content:
        raise usage("the secret is empty: nothing was put")
    if len(content) > PRIVATE_FILE_BYTES:
        raise usage(f"a secret has at most {PRIVATE_FILE_BYTES // MIB} MiB")
    return content
