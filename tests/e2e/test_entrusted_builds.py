"""A build at a peer that needs a secret, with real nodes and by the command line: refused, allowed, taken back."""

from pathlib import Path

import pytest

from tests.e2e.test_delegated_builds import peers
from tests.support.processes import SERVICE

pytestmark = pytest.mark.e2e

SECRET = "what only globex and those it trusts may know"


async def test_a_secret_goes_where_it_is_entrusted(tmp_path: Path) -> None:
    """Without leave the build says what it needs; with it the version is made, and acme keeps nothing of it."""
    async with peers(tmp_path, "acme") as (peer, _, sources):
        recipe = sources.folder / "vupdate.toml"
        begin = "[services.hello.build]"
        place = 'private = [ { name = "tls.key", to = "conf/tls.key" } ]'
        recipe.write_text(recipe.read_text().replace(begin, f"{begin}\n{place}"))
        sources.say("with a secret")
        secret = tmp_path / "tls.key"
        secret.write_text(SECRET)
        await peer.ordered("service", "secret", "put", SERVICE, "tls.key", str(secret))
        with pytest.raises(Exception, match="vupdate service entrust hello acme"):
            await peer.ordered("build", SERVICE, "--on", "acme")
        await peer.ordered("service", "entrust", SERVICE, "acme")
        assert "acme" in await peer.ordered("service", "entrust")
        assert "globex-1.0.0" in await peer.ordered("build", SERVICE, "--on", "acme")
        assert "private files (tls.key) were handed to acme, sealed to its key" in await peer.log()
        assert "in it; no consumer is given it" in await peer.ordered("versions", "show", SERVICE, "globex-1.0.0")
        await peer.ordered("service", "entrust", SERVICE, "--nobody")
        with pytest.raises(Exception, match="is not given"):
            await peer.ordered("build", SERVICE, "--on", "acme")
        kept = [path for path in (peer.on.folder / "acme").rglob("*") if path.is_file()]
        assert kept
        assert not [path for path in kept if SECRET.encode() in path.read_bytes()]
