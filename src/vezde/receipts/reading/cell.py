"""The process in which files are read: `python -m vezde.receipts.reading.cell`."""

import base64
import json
from typing import Any

from vezde.kit import cells
from vezde.receipts.reading import files, model, photos
from vezde.receipts.reading.model import Key


def answer(payload: bytes) -> bytes:
    """Findings as JSON; the request is a line of JSON, then the file.

    Asked for `photos` of receipts ([[fn, fd], …]) it answers with those, in their order, in base64,
    null for what is pictured nowhere.
    """
    head, _, data = payload.partition(b"\n")
    asked = json.loads(head)
    wanted = [(fn, fd) for fn, fd in asked.get("photos", ())]
    found: dict[str, Any]
    try:
        if wanted:
            found = _photos(wanted, photos.find(data, wanted))
        else:
            found = files.read(data, link=asked["link"]).to_json()
    except MemoryError:
        found = {**model.TOO_LARGE.to_json(), **_photos(wanted, {})}
    except Exception as error:  # what libraries raise for broken files; the parent logs its name
        fault = {"fault": type(error).__name__}
        found = {**model.NOTHING.to_json(), **_photos(wanted, {}), **fault}
    return json.dumps(found).encode()


def _photos(wanted: list[Key], found: dict[Key, bytes]) -> dict[str, Any]:
    given = [base64.b64encode(found[one]).decode() if one in found else None for one in wanted]
    return {"photos": given}


if __name__ == "__main__":
    cells.serve(answer)
