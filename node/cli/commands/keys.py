"""Shows the keys that are trusted, lets an operator decide on one, and gives this node a new key."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from node.cli import documents
from node.cli.exits import usage
from node.cli.options import Call, Data, asking, default_data, group, local
from node.cli.output import Output, moment

if TYPE_CHECKING:
    from node.keyfolder import OwnKeys

alone: Final = typer.Typer(rich_markup_mode=None)
own: Final = group(
    "key",
    "The key of this node itself.",
    """
    vupdate key rotate
    vupdate key rotate --yes --keep-old
    """,
)
pinned: Final = group(
    "pin",
    "The keys by which versions of other nodes are believed.",
    """
    vupdate pins
    vupdate pin reset acme --key-id AAAAAAA-BBBBBBB-…
    """,
)


@asking(alone, "pins", examples="vupdate pins")
async def pins(call: Call) -> None:
    """List the keys by which versions of other nodes are believed here. Compare an id with the node's own operator."""
    found = (await call.ask(documents.PINS))["pins"]
    call.out.document(found)
    call.out.table(
        ("node", "id of its key", "since", "through", "changed", "awaited instead"),
        [
            (
                one["node"],
                one["keyId"],
                moment(one["seen"]),
                one["through"] or "its own link",
                one["changes"],
                one["awaited"] or "–",
            )
            for one in found
        ],
        empty="no key is pinned yet: the first one that is seen of a node will be",
    )


@asking(pinned, "reset", examples="vupdate pin reset acme --key-id AAAAAAA-BBBBBBB-…")
async def reset(
    call: Call,
    node: Annotated[str, typer.Argument(help="The node whose key changed.", show_default=False)],
    *,
    key_id: Annotated[
        str, typer.Option("--key-id", help="The id of its new key, as its operator told it to you.", show_default=False)
    ],
) -> None:
    """Let another key take the place of a pinned one, without a statement by the old key.

    Do this only after the node's operator told you the id by another way than the link: on the phone, say. Whoever
    holds that key decides from then on what runs here under the node's name.
    """
    found = (await call.ask(documents.RESET_PIN, node=node, keyId=key_id))["resetPin"]
    call.out.document(found)
    if found["awaited"]:
        call.out.say(f"the key {found['awaited']} takes the place of {found['keyId']} when {node} next shows it")
    else:
        call.out.say(f"the key {found['keyId']} is the pinned one: nothing changes")


_BEFORE: Final = """\
This gives the node {name} a new key, in these steps:
  1. a new key is made: {keys}/next.pem
  2. a statement that the new key takes the place of the old one is written, signed by both:
     {keys}/changes/{number}.json
  3. the new key takes the place of the old one: {keys}/node.pem
     {old}
It can be broken off at any moment: before step 2 nothing has changed, after it the next start finishes it.

Afterwards the node has another id. Its consumers, agents and providers follow by the statement, by themselves; who
pinned its key and does not find the statement stops taking its versions and tells its operator.
A stolen key stays dangerous until they have all heard of the new one: do not wait with this."""
_REMOVED: Final = "the old key is removed (copies in backups and on free blocks of the disk are yours to remove)"
_KEPT: Final = "the old key is kept in {keys}/old/{number}.pem: move it to a safe place"


@local(
    own,
    "rotate",
    examples="""
    vupdate key rotate
    vupdate key rotate --data /srv/acme --yes
    vupdate key rotate --keep-old
    """,
)
async def rotate(
    out: Output,
    *,
    data: Data = None,
    keep_old: Annotated[
        bool, typer.Option("--keep-old", help="Keep the old private key in keys/old/ instead of removing it.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do it without asking.")] = False,
) -> None:
    """Give this node a new key, while it is stopped; says each step before, and what to do after."""
    from federation.clock import SystemClock
    from node.config import load_settings
    from node.keyfolder import KeyFolder
    from node.lifecycle import locked

    settings = load_settings(data or default_data())
    folder = KeyFolder(settings.key_file.parent, settings.name)
    with locked(settings):
        before = folder.load()
        if before.finished is None:
            number = before.chain.changes[-1].number + 1 if before.chain.changes else 1
            old = _KEPT.format(keys=settings.key_file.parent, number=number) if keep_old else _REMOVED
            out.say(_BEFORE.format(name=settings.name, keys=settings.key_file.parent, number=number, old=old))
            _confirm(out, yes=yes)
            after = folder.rotate(SystemClock().now(), keep_old=keep_old)
        else:
            after = before
            out.say("A change of the key that was broken off is finished now; no further one was made.")
    _tell(out, after, settings.data)


def _confirm(out: Output, *, yes: bool) -> None:
    if yes:
        return
    if out.as_json or not sys.stdin.isatty():
        raise usage("nobody is there to be asked: say --yes")
    typer.confirm("Go on?", abort=True)


def _tell(out: Output, after: "OwnKeys", data: Path) -> None:
    change = after.chain.changes[-1]
    out.document(
        {
            "node": change.node,
            "number": change.number,
            "oldId": change.old.id,
            "newId": change.new.id,
            "at": change.at.isoformat(),
            "finishedEarlier": after.finished is not None,
        }
    )
    out.say("")
    out.say(f"The key of {change.node} is changed.")
    out.say(f"Its old id: {change.old.id}")
    out.say(f"Its new id: {change.new.id}")
    out.say(f"Start the node: vupdate serve --data {data}")
    out.say("At its start it signs its versions by the new key too, and tells consumers, agents and providers.")
    out.say("Make a new backup: from one made before, the node would come back with a key that counts no more.")
