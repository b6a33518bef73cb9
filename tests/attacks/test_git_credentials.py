"""A recipe that looks for what opened its own sources: in its variables, its files, other processes, all folders."""

import json
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from build.confinement import Confinement
from build.credentials import Credential, CredentialSource, Reach
from build.developer import DeveloperBuild, build_developer
from build.giturl import GitUrl
from build.source import SourceRequest
from federation.names import ServiceName
from federation.versions import DeveloperVersion
from tests.attacks.test_build_sandbox import MISSING
from tests.support.git_repo import GitRepo
from tests.support.git_server import USER, GitServer, fake_ssh, serving

# Made anew, so that nothing else on the machine holds them.
PASSWORD, MARKER = f"s3same-{secrets.token_hex(8)}", f"pr1vate-k3y-{secrets.token_hex(8)}"
LOOK = """
env; set; cat /proc/*/environ /proc/*/cmdline | tr '\\0' '\\n'; git config --list --show-origin
cat .git/config ../*/.git/config; cat "$(cat .git/objects/info/alternates)/../config"
ls -R /dev/shm; cat /dev/shm/vupdate-git-*/*
for folder in ../.. /dev/shm /run /etc $HOME {folder}; do
  timeout 20 grep -rsIh -D skip --exclude-dir=proc --exclude-dir=sys --exclude-dir=usr --exclude-dir=served \
    --exclude-dir=tests -e "$(printf 's3same%s' -)" -e "$(printf 'pr1vate%s' -k3y)" $folder
done
printf 'credential fill:'; printf 'url={url}\\n\\n' | GIT_TERMINAL_PROMPT=0 git credential fill
"""


class Given(CredentialSource):
    """One credential, for whatever is asked."""

    def __init__(self, credential: Credential) -> None:
        self.credential = credential

    async def find(self, url: GitUrl) -> Credential | None:
        return self.credential if self.credential.reach.covers(url) else None


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[GitServer]:
    root = tmp_path / "served"
    root.mkdir()
    with serving(root, monkeypatch) as found:
        found.password = PASSWORD
        yield found


def hostile(server: GitServer, folder: Path) -> GitRepo:
    """A repository whose recipe writes all it can find into its image."""
    repo = GitRepo(server.root / "shop")
    script = LOOK.replace("{folder}", str(folder)).replace("{url}", f"{server.url}/shop")
    words = json.dumps(["sh", "-c", f"mkdir -p out; cp run out; ( {script} ) > out/told 2>&1; true"])
    repo.write("run", "#!/bin/sh\n", executable=True)
    repo.write(
        "vupdate.toml",
        f'[services.shop.run]\ncommand = ["./run"]\n[services.shop.build]\ncommands = [ {{ run = {words}, '
        'timeout = "200s" } ]\ncopy = [ { from = "out" } ]\n',
    )
    repo.commit()
    return repo


async def told(folder: Path, url: str, credential: Credential, *, sandbox: bool) -> str:
    """What the recipe found, and what the build said."""
    log: list[str] = []
    (folder / "decoy").write_text("s3same-decoy\n")
    request = DeveloperBuild(
        service=ServiceName("shop"),
        version=DeveloperVersion("acme-1.0.0"),
        sources=(SourceRequest(name="shop", url=url),),
        work=folder / "work",
        cache=folder / "cache",
        confinement=Confinement(sandbox=sandbox),
        credentials=Given(credential),
    )
    built = await build_developer(request, log.append)
    found = (built.tree / "told").read_text(errors="replace")
    assert "VUPDATE_SERVICE" in found
    # It does find what lies about, where no sandbox is between.
    assert ("s3same-decoy" in found) != sandbox
    return "\n".join([found, *log, repr(built)])


WALLS = [False, pytest.param(True, marks=pytest.mark.skipif(bool(MISSING), reason=MISSING))]


@pytest.mark.parametrize("sandbox", WALLS)
async def test_a_recipe_finds_no_password(tmp_path: Path, server: GitServer, sandbox: bool) -> None:
    """The build's commands start when Git has ended and what it was given is gone; nothing of it was kept."""
    hostile(server, tmp_path)
    credential = Credential(reach=Reach.read(f"{server.url}/"), user=USER, secret=PASSWORD.encode())
    found = await told(tmp_path, f"{server.url}/shop", credential, sandbox=sandbox)
    assert PASSWORD not in found
    assert USER not in found
    assert f"{USER}:{PASSWORD}" in [who for _, who in server.asked]


@pytest.mark.parametrize("sandbox", WALLS)
async def test_a_recipe_finds_no_key(
    tmp_path: Path, server: GitServer, monkeypatch: pytest.MonkeyPatch, sandbox: bool
) -> None:
    """The same for SSH; the program that was given the key is all that saw it."""
    hostile(server, tmp_path)
    ssh = fake_ssh(server.root / "bin", server.root, monkeypatch)
    credential = Credential(reach=Reach.read("ssh://git@git.example/"), secret=MARKER.encode())
    found = await told(tmp_path, "git@git.example:shop", credential, sandbox=sandbox)
    assert MARKER in ssh.keys
    assert MARKER not in found
