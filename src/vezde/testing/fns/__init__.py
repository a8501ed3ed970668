"""The tax service's open API on loopback: its SOAP, your documents, faults to order.

async with FakeFns() as fake:
    fake.add(document)                       # any shape that the parsers read
    fake.slow(document, seconds=3)           # PROCESSING for so long
    fake.order(faults.daily_limit())         # what the next request gets instead
    provider = Fns(master_token=fake.master_token, base_url=fake.base_url)
"""

from vezde.testing.fns import faults
from vezde.testing.fns.fake import Asked, FakeFns

__all__ = ["Asked", "FakeFns", "faults"]
