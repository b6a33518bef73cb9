"""The environment of a build's commands, made from nothing. Pure.

Of the host's own variables only ``PATH`` comes through, and, for a build that may use the network, those listed here
that say how to reach it. Nothing else: what a node keeps secret is not in reach of what it builds.
"""

import os
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from build.process import MARK
from build.walls import Rooms, Walls

NETWORK_VARIABLES: Final[frozenset[str]] = frozenset(
    {
        "http_proxy", "https_proxy", "no_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY",
        "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO",
        "NODE_EXTRA_CA_CERTS",
        "PIP_CERT", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_DEFAULT_TIMEOUT", "PIP_TRUSTED_HOST",
        "PIP_CONFIG_FILE", "UV_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX",
        "npm_config_registry", "NPM_CONFIG_REGISTRY", "npm_config_cafile", "NPM_CONFIG_CAFILE",
        "npm_config_userconfig", "NPM_CONFIG_USERCONFIG", "GOPROXY", "GOSUMDB", "CARGO_HTTP_CAINFO",
    }
)  # fmt: skip
"""Settings of the network and of package registries that a build with ``network = true`` gets from the host."""

_STANDARD_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def search_path(host: Mapping[str, str], own: Path) -> str:
    """Where programs are found: the host's own folders first, then ``own``, this program's.

    A virtual environment that vUpdate was started from must not change what a build gives, so it comes last.
    """
    folders = [folder for folder in host.get("PATH", _STANDARD_PATH).split(":") if folder.startswith("/")]
    return ":".join([*(folder for folder in folders if Path(folder) != own), str(own)])


_FOR_STRANGERS: Final = frozenset({"PATH", "SSL_CERT_FILE", "SSL_CERT_DIR", "no_proxy", "NO_PROXY"})
_PROXIES: Final = frozenset({"http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"})


def strangers_view(host: Mapping[str, str]) -> dict[str, str]:
    """Of the variables ``host`` those that a recipe of somebody else's may depend on.

    Settings of package registries may name files with tokens, and a proxy's address may hold a password.
    """
    open_proxies = {name for name in _PROXIES & host.keys() if "@" not in host[name]}
    return {name: host[name] for name in sorted((_FOR_STRANGERS & host.keys()) | open_proxies)}


def _maven_variables(home: Path, repository: Path) -> dict[str, str]:
    """What makes Maven keep its downloads in ``repository`` and look for settings in ``home``.

    By itself it does both in the home that the system's list of users names, whatever ``HOME`` says. Its start script
    splits ``MAVEN_OPTS`` at each space, quotes or not, and expands patterns; the launcher of a JDK minds quotes, but
    tells of its variable in what each program prints.
    """
    words = [f"-Duser.home={home}", f"-Dmaven.repo.local={repository}"]
    quoted = [shlex.quote(word) for word in words]
    return {"MAVEN_OPTS" if quoted == words else "JDK_JAVA_OPTIONS": " ".join(quoted)}


def build_environment(
    host: Mapping[str, str], rooms: Rooms, walls: Walls, *, network: bool, epoch: int
) -> dict[str, str]:
    """The variables that each command of a build starts with.

    Args:
        host: the variables of this process.
        rooms: where the build works.
        walls: what is between it and the machine.
        network: whether the recipe asks for the network. Without a sandbox it can't be cut off; package managers are
            told to do without in any case.
        epoch: the time of the sources in seconds since 1970, for tools that put a time into what they make.
    """
    home, cache = walls.seen(rooms.home), walls.seen(rooms.cache)
    env = {
        "PATH": walls.search_path(search_path(host, Path(sys.executable).parent)),
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "HOME": os.fspath(home),
        "TMPDIR": os.fspath(walls.seen(rooms.temporary)),
        "SOURCE_DATE_EPOCH": str(epoch),
        "PIP_CACHE_DIR": os.fspath(cache / "pip"),
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_NO_INPUT": "1",
        "PIP_ROOT_USER_ACTION": "ignore",
        "npm_config_cache": os.fspath(cache / "npm"),
        "npm_config_update_notifier": "false",
        **_maven_variables(home, cache / "maven"),
        "PYTHONDONTWRITEBYTECODE": "1",
        MARK: os.fspath(rooms.sources),
    }
    if network:
        return env | {name: host[name] for name in sorted(NETWORK_VARIABLES & host.keys())}
    return env | {"PIP_NO_INDEX": "1", "npm_config_offline": "true"}
