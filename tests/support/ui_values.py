"""Values that all sample data for the page's tests is made of."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

Document = dict[str, Any]

OWN_ID: Final = "QMTYXZV-5WDLQ2K-PCVBA7H-SJ3NRGE-4KXOTUM-Z6FWQIB-LDCY7PA-HVNE2RS"
OTHER_IDS: Final = {
    "acme": "BR4JX2M-WVQ7ZCE-LNKP3SD-HYTA6GF-OQU5IRX-MW2ZBCV-J7KLPNE-SDTHGAY",
    "hooli": "D7WQK3P-ZT5MXAY-HJ2RLNC-EVB6SGU-4OIFQTD-KX3PYZH-RMA7WLN-CJEBVS5",
    "initech": "ZUKH6TQ-R2VDNEM-7XYCAWB-PJGL4SI-F5OQKMZ-TNXR3HD-UVE6YWC-ABLPSJG",
    "soylent": "W3NFYQC-6JXRTPA-LEUZ2HM-VKB5DOS-I7GCWXN-QYT4RJM-AHP6ELZ-UDKVS3B",
    "umbrella": "K5PLQWA-ZXS7EDC-RFV2TGB-YHN4UJM-IKOLP6Q-AZWSX3E-DCRFVTG-BYHNUJM",
}


def ago(seconds: float) -> str:
    """The moment that many seconds before now, as GraphQL writes it."""
    return (datetime.now(UTC) - timedelta(seconds=seconds)).isoformat()


def ahead(seconds: float) -> str:
    """The moment that many seconds after now."""
    return ago(-seconds)
