"""The agent's own file: whom it serves, and what it may run."""

from pathlib import Path

import pytest

from agent.home import Attached, Home
from federation.errors import CorruptError
from federation.keys import PrivateKey
from federation.names import InstanceName, NodeName, ServiceKey


def attached(*fixed: str, free: bool = False) -> Attached:
    return Attached(
        url="http://127.0.0.1:7420",
        node=NodeName("acme"),
        node_key=PrivateKey.generate().public,
        instance=InstanceName("web-1"),
        fixed=None if free else tuple(ServiceKey(one) for one in fixed),
    )


@pytest.mark.parametrize("kept", [attached(free=True), attached(), attached("mail", "shop:worker")])
def test_what_was_kept_is_read_again(tmp_path: Path, kept: Attached) -> None:
    """Also a file that allows nothing, which is not one that allows all."""
    home = Home.at(tmp_path)
    home.attach(kept)
    assert home.attached() == kept


def test_a_role_is_allowed_by_its_own_name() -> None:
    """``shop`` allows not ``shop:worker``, and no file entry allows all."""
    assert attached("shop").allows(ServiceKey("shop"))
    assert not attached("shop").allows(ServiceKey("shop:worker"))
    assert not attached().allows(ServiceKey("shop"))
    assert attached(free=True).allows(ServiceKey("shop"))


@pytest.mark.parametrize("services", ['"shop"', "[1, [2]]", '["Bad Name"]', "{}", str(["s"] * 10_001)])
def test_a_list_that_is_none_stops_the_agent(tmp_path: Path, services: str) -> None:
    """It could mean all or nothing, so the agent does not guess."""
    home = Home.at(tmp_path)
    home.attach(attached(free=True))
    with home.config.open("a") as stream:
        stream.write(f"services = {services}\n")
    with pytest.raises(CorruptError, match=r"agent\.toml is damaged"):
        home.attached()
