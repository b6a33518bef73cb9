"""Checks what somebody gives as a credential, before it is kept or given to Git. Pure."""

from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_ssh_private_key

from build.credentials import Credential, Reach
from federation.errors import InvalidValueError, OversizedError

SECRET_BYTES: Final = 64 * 1024
USER_CHARS: Final = 200


def checked(reach: Reach, secret: bytes, *, user: str = "", known_hosts: bytes = b"") -> Credential:
    """``secret`` as a credential for ``reach``; the fields are those of ``Credential``.

    Raises:
        InvalidValueError: it is not of the form that the transport needs.
        OversizedError: it is too large.
    """
    if max(len(secret), len(known_hosts)) > SECRET_BYTES:
        raise OversizedError(f"a credential has at most {SECRET_BYTES} bytes")
    if reach.scheme == "ssh":
        return _key(reach, secret, user, known_hosts)
    return _password(reach, secret, user, known_hosts)


def _password(reach: Reach, secret: bytes, user: str, known_hosts: bytes) -> Credential:
    if known_hosts:
        raise InvalidValueError("keys of a host are for SSH: HTTPS has certificates")
    if not user or len(user) > USER_CHARS or not user.isprintable() or ":" in user:
        raise InvalidValueError(f"HTTPS needs a user, of at most {USER_CHARS} characters and without a ':'")
    try:
        text = secret.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError as error:
        raise InvalidValueError("a token or password is text in UTF-8") from error
    if not text or not text.isprintable():
        raise InvalidValueError("a token or password is one line, and not empty")
    return Credential(reach=reach, user=user, secret=text.encode())


def _key(reach: Reach, secret: bytes, user: str, known_hosts: bytes) -> Credential:
    if user:
        raise InvalidValueError("the user of SSH is part of the prefix: ssh://git@host/")
    load = load_ssh_private_key if b"BEGIN OPENSSH PRIVATE KEY" in secret else load_pem_private_key
    try:
        load(secret, None)
    except TypeError as error:
        raise InvalidValueError("the key has a passphrase, which nobody could type: give one without") from error
    except (ValueError, UnsupportedAlgorithm):
        # Without its cause, which may quote what was given.
        raise InvalidValueError("that is not a private key as ssh-keygen writes it") from None
    if known_hosts and (b"\0" in known_hosts or not known_hosts.strip()):
        raise InvalidValueError("the known hosts are not as ssh-keyscan writes them")
    return Credential(reach=reach, secret=secret, known_hosts=known_hosts)
