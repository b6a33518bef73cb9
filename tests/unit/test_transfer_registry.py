"""Packs of two successive releases of a real package: the bytes that the design promises."""

from pathlib import Path

import pytest

from federation.transfer import LocalBlobs, add_tree, install_pack, scan_tree
from federation.transfer.pack import make_pack
from tests.support.releases import RegistryError, python_release


@pytest.mark.registry
def test_a_patch_release_of_django_costs_next_to_nothing(tmp_path: Path) -> None:
    """Less than 0.05 % of its wheel and 0.2 % of its full pack, and the whole tree arrives."""
    try:
        before = python_release("django", "5.2.4", tmp_path)
        after = python_release("django", "5.2.5", tmp_path)
    except RegistryError as error:
        pytest.skip(f"the package registry did not answer: {error}")
    old, new = scan_tree(before.tree), scan_tree(after.tree)
    blobs = LocalBlobs(tmp_path / "blobs")
    add_tree(before.tree, old, blobs)
    add_tree(after.tree, new, blobs)
    full = make_pack(base=None, image=new, source=blobs, target=tmp_path / "full")
    delta = make_pack(base=old, image=new, source=blobs, target=tmp_path / "delta")
    assert delta < 0.002 * full
    assert delta < 0.0005 * after.archive_bytes
    install_pack(
        tmp_path / "delta", expected=new.digest, base=old, base_tree=before.tree, target=tmp_path / "installed"
    )
    assert scan_tree(tmp_path / "installed") == new
