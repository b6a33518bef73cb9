"""Tags the sources of a version where they came from, once it is stored. A tag that fails is told and holds nothing up.

The name is ``<service>-<version>``. Which sources a node may push to, their servers say.
"""

from collections.abc import Iterable
from pathlib import Path

from build.credentials import CredentialSource
from build.source import fetch
from build.tagging import push_tag
from federation.errors import VUpdateError
from federation.log import Level
from federation.manifest import Source
from node.model.version import StoredVersion
from node.usecases.tasks import TaskLog


async def tag_sources(stored: StoredVersion, *, cache: Path, credentials: CredentialSource, log: TaskLog) -> None:
    """Tag the commits of ``stored``, whose repositories are in ``cache``; each repository once for each commit."""
    tag = f"{stored.service}-{stored.version}"
    for source in _each_once(stored.signed.manifest.sources):
        try:
            fresh = await push_tag(source, tag, cache=cache, credentials=credentials, log=log)
        except VUpdateError as error:
            log(f"{source.name} is not tagged as {tag}: {error.message}", Level.WARNING)
        else:
            log(f"{source.name} is tagged as {tag}{'' if fresh else ' already'}, at {source.commit[:12]}")


async def fetch_sources(stored: StoredVersion, *, cache: Path, credentials: CredentialSource, log: TaskLog) -> None:
    """Bring the repositories of ``stored``, which a peer built, into ``cache``, from where they can be tagged."""
    for source in _each_once(stored.signed.manifest.sources):
        try:
            await fetch(source, cache=cache, credentials=credentials, log=log)
        except VUpdateError as error:
            log(f"{source.name} is not here: {error.message}", Level.WARNING)


def _each_once(sources: Iterable[Source]) -> list[Source]:
    return list({(one.url, one.commit): one for one in sources}.values())
