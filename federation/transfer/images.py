"""Image indexes kept among the contents: the digest of an index is the digest of its image."""

import io

from federation import limits
from federation.digest import Digest
from federation.errors import CorruptError, InvalidValueError, OversizedError
from federation.image import Image
from federation.transfer.blobs import ContentSink, ContentSource


def store_image(sink: ContentSink, image: Image) -> None:
    """Keep the index of ``image``; store its contents first, then an index that is here means all of it is.

    Raises:
        DiskFullError: nothing is kept.
    """
    sink.add(io.BytesIO(image.encoded), image.digest)


def load_image(source: ContentSource, digest: Digest) -> Image:
    """The image of ``digest``.

    Raises:
        AbsentError: not kept there.
        CorruptError: what is kept is no index.
    """
    with source.open(digest) as stream:
        content = stream.read(limits.IMAGE_INDEX_BYTES + 1)
    try:
        return Image.decode(content)
    except (InvalidValueError, OversizedError) as error:
        raise CorruptError(f"what is stored as image {digest} is no index of one") from error
