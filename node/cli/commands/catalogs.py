"""Shows a node's catalogues, and changes their keys step by step; two steps run on machines without a network."""

from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from node.cli import documents
from node.cli.exits import CommandError, Exit, usage
from node.cli.options import Call, asking, group, local
from node.cli.output import Output, moment

app: Final = group(
    "catalog",
    "The catalogues that a node publishes, one for each profile, and the keys that sign them.",
    """
    vupdate catalog list
    vupdate catalog show public-services
    vupdate catalog rotate public-services timestamp
    """,
)
root: Final = group(
    "root",
    "Change the root keys of a catalogue with keys that are kept elsewhere: prepare here, sign there, publish here.",
    """
    vupdate catalog root prepare public-services --add alice.pub --add bob.pub --threshold 2 --out root.json
    vupdate catalog root sign root.json --key alice.pem
    vupdate catalog root publish public-services root-alice.json root-bob.json
    """,
)
key: Final = group(
    "key",
    "Keys for signing roots that are kept away from the node.",
    """
    vupdate catalog key new alice.pem
    """,
)
app.add_typer(root)
app.add_typer(key)
_KEY_FILE_BYTES: Final = 64 * 1024
_ROOT_BYTES: Final = 512_000
Profile = Annotated[str, typer.Argument(help="The profile's name.", show_default=False)]


class CatalogRole(Enum):
    """Who signs what in a catalogue."""

    ROOT = "root"
    TARGETS = "targets"
    SNAPSHOT = "snapshot"
    TIMESTAMP = "timestamp"


@asking(app, "list", examples="vupdate catalog list")
async def show_all(call: Call) -> None:
    """List the catalogues: who may read each, how far it is, and what is to be done about its keys."""
    found = (await call.ask(documents.CATALOGS))["catalogs"]
    call.out.document(found)
    call.out.table(
        ("profile", "read by", "serial", "root", "root expires", "root keys", "to do"),
        [
            (
                one["profile"],
                "everybody" if one["public"] else "consumers",
                f"{one['serial']:.0f}",
                _role(one, "ROOT")["version"],
                moment(_role(one, "ROOT")["expires"]),
                _signers(one),
                "; ".join(one["warnings"]) or "nothing",
            )
            for one in found
        ],
        empty="no catalogue yet: each profile has one; make one with 'vupdate profile set NAME SERVICE...'",
    )


@asking(app, "show", examples="vupdate catalog show public-services")
async def show(call: Call, profile: Profile) -> None:
    """Show one catalogue: the root to compare by eye, and of each role the version, the expiry and the keys."""
    found = (await call.ask(documents.CATALOG, profile=profile))["catalog"]
    call.out.document(found)
    call.out.fields(
        {
            "profile": found["profile"],
            "read by": "everybody" if found["public"] else "linked consumers",
            "serial": f"{found['serial']:.0f}",
            "root": _in_groups(found["root"]),
            "next root": f"{found['prepared']} is prepared, and waits for signatures" if found["prepared"] else "",
        }
    )
    call.out.table(
        ("role", "version", "expires", "signatures needed", "key id", "private part", "public key"),
        [
            (
                one["role"].lower(),
                one["version"],
                moment(one["expires"]),
                f"{one['threshold']} of {len(one['keys'])}",
                signer["id"][:16],
                "on this node" if signer["here"] else "elsewhere",
                signer["key"],
            )
            for one in found["roles"]
            for signer in one["keys"]
        ],
        empty="no role",
    )
    for warning in found["warnings"]:
        call.out.say(f"To do: {warning}")


@asking(
    app,
    "rotate",
    examples="""
    vupdate catalog rotate public-services timestamp
    vupdate catalog rotate public-services snapshot timestamp   # the way out if somebody signed far ahead
    """,
)
async def rotate(
    call: Call,
    profile: Profile,
    roles: Annotated[list[CatalogRole], typer.Argument(help="The roles that get new keys.", show_default=False)],
    *,
    out: Annotated[
        Path | None, typer.Option("--out", help="Where the prepared root goes if the root's keys are elsewhere.")
    ] = None,
) -> None:
    """Give roles of a catalogue new keys; what the old ones sign counts no more from then on."""
    if out is not None:
        _check_free(out)
    names = [role.name for role in roles]
    _explain(call, (await call.ask(documents.ROTATE_CATALOG, profile=profile, roles=names))["rotateCatalogKeys"], out)


@asking(
    root,
    "prepare",
    examples="""
    vupdate catalog root prepare public-services --out root.json                 # the same keys, for another year
    vupdate catalog root prepare public-services --add alice.pub --add bob.pub --add carol.pub \\
        --remove 4f0c9a51 --threshold 2 --out root.json
    """,
)
async def prepare(
    call: Call,
    profile: Profile,
    *,
    out: Annotated[Path, typer.Option("--out", help="The file to be signed; must not exist yet.", show_default=False)],
    add: Annotated[
        list[Path] | None, typer.Option("--add", help="The file of a public key that may sign from now on.")
    ] = None,
    remove: Annotated[
        list[str] | None, typer.Option("--remove", help="The id of a key that may not any more, or its beginning.")
    ] = None,
    threshold: Annotated[int | None, typer.Option("--threshold", min=1, help="How many of the keys must sign.")] = None,
) -> None:
    """Prepare the next root, to be signed where its keys are; until it is published nothing changes."""
    _check_free(out)
    prepared = await call.ask(
        documents.PREPARE_ROOT,
        profile=profile,
        add=[_public_key(path) for path in add or []],
        remove=remove or [],
        threshold=threshold,
    )
    _explain(call, prepared["prepareCatalogRoot"], out)


@local(
    root,
    "sign",
    examples="""
    vupdate catalog root sign root.json --key alice.pem
    """,
)
async def sign(
    out: Output,
    file: Annotated[Path, typer.Argument(help="The prepared root; the signature is added to it.", show_default=False)],
    *,
    key: Annotated[Path, typer.Option("--key", help="The private key's file.", show_default=False)],
) -> None:
    """Sign a prepared root. Needs no node and no network: run it where the key is kept."""
    from federation.catalog.roles import Role
    from federation.catalog.root import appointments, parse, sign_root
    from federation.catalog.tufkeys import key_id
    from federation.files import write_atomic
    from federation.keys import PrivateKey

    document = _read(file, _ROOT_BYTES)
    private = PrivateKey.load(_present(key))
    signed = sign_root(document, private)
    said = parse(signed).signed
    roles = appointments(said)
    write_atomic(file, signed)
    of_root = roles[Role.ROOT]
    out.document(
        {
            "file": str(file),
            "root": said.version,
            "expires": said.expires.isoformat(),
            "threshold": of_root.threshold,
            "keys": [key_id(one) for one in of_root.keys],
            "signed_by": key_id(private.public),
        }
    )
    out.say(f"signed root {said.version} in {file} with key {key_id(private.public)[:16]}")
    out.say(
        f"It is good until {said.expires:%Y-%m-%d} and asks for {of_root.threshold} of these keys for the next one:"
    )
    for one in of_root.keys:
        out.say(f"  {key_id(one)[:16]}{'  (this one)' if one == private.public else ''}")
    if private.public not in of_root.keys:
        out.note("This root does not name the key that signed: its signature counts only if the root before names it.")
    out.say("Next: have the others sign, then bring the file back to the node and run 'vupdate catalog root publish'.")


@asking(
    root,
    "publish",
    examples="""
    vupdate catalog root publish public-services root.json
    vupdate catalog root publish public-services root-alice.json root-bob.json   # copies that were signed apart
    """,
)
async def publish(
    call: Call,
    profile: Profile,
    files: Annotated[list[Path], typer.Argument(help="The signed root, or its copies.", show_default=False)],
) -> None:
    """Put a prepared root in force, once enough keys have signed it; says whose signatures are missing otherwise."""
    copies = [_text(_read(path, _ROOT_BYTES), path) for path in files]
    _explain(call, (await call.ask(documents.PUBLISH_ROOT, profile=profile, documents=copies))["publishCatalogRoot"])


@local(key, "new", examples="vupdate catalog key new /media/stick/alice.pem")
async def new_key(
    out: Output,
    file: Annotated[Path, typer.Argument(help="Where the private key goes; must not exist yet.", show_default=False)],
) -> None:
    """Make a key for signing roots. The private part never leaves FILE, the public part stands in FILE.pub beside it.

    The file has no passphrase: keep it on a medium that is encrypted or locked away, and a copy of it somewhere else.
    """
    from federation.catalog.tufkeys import key_id
    from federation.files import write_atomic
    from federation.keys import PrivateKey

    public = file.with_suffix(".pub") if file.suffix == ".pem" else file.with_name(f"{file.name}.pub")
    _check_free(file)
    _check_free(public)
    made = PrivateKey.generate()
    made.save(file)
    write_atomic(public, f"{made.public}\n".encode())
    out.document({"private": str(file), "public": str(public), "key": str(made.public), "id": key_id(made.public)})
    out.say(f"key {key_id(made.public)[:16]}: the private part is in {file}, the public part in {public}")
    out.say(
        f"Next: take {public.name} to the node and run 'vupdate catalog root prepare PROFILE --add {public.name} "
        f"--out root.json'. {file.name} stays here: it has no passphrase, so lock it away, and keep a copy elsewhere."
    )


def _role(catalog: dict[str, Any], name: str) -> dict[str, Any]:
    return next(one for one in catalog["roles"] if one["role"] == name)


def _signers(catalog: dict[str, Any]) -> str:
    of_root = _role(catalog, "ROOT")
    where = "on this node" if catalog["online"] else "elsewhere"
    return f"{of_root['threshold']} of {len(of_root['keys'])}, {where}"


def _in_groups(digest: str) -> str:
    """A digest as people compare it: by eights."""
    return " ".join(digest[place : place + 8] for place in range(0, len(digest), 8))


def _explain(call: Call, ceremony: dict[str, Any], out: Path | None = None) -> None:
    """Say what was done and what is left, and keep the prepared root."""
    document = ceremony.pop("document", None)
    if document is not None:
        file = out or Path(f"root-{ceremony['rootVersion']}.json")
        _check_free(file)
        _write(file, document)
        ceremony["file"] = str(file)
    call.out.document(ceremony)
    call.out.say("Done:")
    for step in ceremony["done"]:
        call.out.say(f"  - {step}")
    if document is not None:
        call.out.say(f"  - wrote it to {ceremony['file']}")
    call.out.say("Left:")
    for step in ceremony["left"]:
        call.out.say(f"  - {step}")


def _write(path: Path, text: str) -> None:
    from federation.files import write_atomic

    write_atomic(path, text.encode())


def _check_free(path: Path) -> None:
    if path.exists():
        raise CommandError(f"{path} is there already: give another name, or remove it", "exists", status=Exit.CONFLICT)


def _present(path: Path) -> Path:
    if not path.is_file():
        raise usage(f"there is no file {path}")
    return path


def _read(path: Path, most: int) -> bytes:
    with _present(path).open("rb") as stream:
        content = stream.read(most + 1)
    if len(content) > most:
        raise usage(f"{path} is longer than {most} bytes: it is not what is asked for here")
    return content


def _text(content: bytes, path: Path) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise usage(f"{path} is not a root of a catalogue: give the file as it was signed") from error


def _public_key(path: Path) -> str:
    text = _text(_read(path, _KEY_FILE_BYTES), path).strip()
    if "PRIVATE KEY" in text:
        raise usage(f"{path} holds a private key, which must not leave its place: give the .pub file beside it")
    return text
