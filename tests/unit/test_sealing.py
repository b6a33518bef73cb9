"""What is sealed for a builder is opened by that builder, for that order, and by nobody and nothing else."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation import statement
from federation.errors import TamperedError
from federation.keys import PrivateKey
from federation.link.sealing import PAYLOAD_TYPE, Purpose, SealingKey, _Said, seal

BUILDER = PrivateKey(b"b" * 32)
OTHER = PrivateKey(b"o" * 32)
PURPOSE = Purpose(order="0" * 32, asker=OTHER.public.id, builder=BUILDER.public.id)


@given(content=st.binary(max_size=2000))
def test_the_builder_opens_what_was_sealed_to_it(content: bytes) -> None:
    """And the sealed form holds nothing of it."""
    key = SealingKey.fresh(PURPOSE)
    sealed = seal(content, key.statement(BUILDER), PURPOSE, BUILDER.public)
    assert key.open(sealed) == content
    assert len(content) < 8 or content not in sealed


def test_nobody_else_opens_it() -> None:
    """Neither the key of another order, nor the same key for another purpose."""
    key = SealingKey.fresh(PURPOSE)
    sealed = seal(b"secret", key.statement(BUILDER), PURPOSE, BUILDER.public)
    for other in (
        SealingKey.fresh(PURPOSE),
        SealingKey(key._private, replace(PURPOSE, order="1" * 32)),
        SealingKey(key._private, replace(PURPOSE, asker=BUILDER.public.id)),
        SealingKey(key._private, replace(PURPOSE, builder=OTHER.public.id)),
    ):
        with pytest.raises(TamperedError, match="not sealed to this node"):
            other.open(sealed)


@given(data=st.data())
def test_one_changed_byte_is_noticed(data: st.DataObject) -> None:
    """Wherever it is; and so is what is cut, or is nothing at all."""
    key = SealingKey.fresh(PURPOSE)
    sealed = bytearray(seal(b"secret", key.statement(BUILDER), PURPOSE, BUILDER.public))
    place = data.draw(st.integers(0, len(sealed) - 1))
    cut = bytes(sealed[:place])
    sealed[place] ^= data.draw(st.integers(1, 255))
    for wrong in (bytes(sealed), cut):
        with pytest.raises(TamperedError):
            key.open(wrong)


def test_a_key_that_the_builder_did_not_sign_is_not_sealed_to() -> None:
    """Whoever is between the two can't put a key of their own in place of it, nor one of another order or asker."""
    key = SealingKey.fresh(PURPOSE)
    theirs = key.statement(OTHER)
    other_order = SealingKey.fresh(replace(PURPOSE, order="1" * 32)).statement(BUILDER)
    other_asker = SealingKey.fresh(replace(PURPOSE, asker=BUILDER.public.id)).statement(BUILDER)
    for said in (theirs, other_order, other_asker, b"", b"{}", key.statement(BUILDER)[:-2]):
        with pytest.raises(TamperedError):
            seal(b"secret", said, PURPOSE, BUILDER.public)


@pytest.mark.parametrize("point", [bytes(32), b"\x01" + bytes(31)])
def test_nothing_is_sealed_to_a_point_of_small_order(point: bytes) -> None:
    """What is sealed to one can be opened by anybody (RFC 9180, 7.1.4), whoever signed it."""
    said = statement.sign(PAYLOAD_TYPE, _Said(order=PURPOSE.order, asker=PURPOSE.asker, key=point), BUILDER)
    with pytest.raises(TamperedError, match="none to seal to"):
        seal(b"secret", said, PURPOSE, BUILDER.public)
