"""The process in which files are read: `python -m vezde.receipts.reading.cell`."""

import json

from vezde.kit import cells
from vezde.receipts.reading import files, model


def answer(payload: bytes) -> bytes:
    """Findings as JSON; the request is a line of JSON, then the file."""
    head, _, data = payload.partition(b"\n")
    try:
        found = files.read(data, link=json.loads(head)["link"]).to_json()
    except MemoryError:
        found = model.TOO_LARGE.to_json()
    except Exception as error:  # what libraries raise for broken files; the parent logs its name
        found = {**model.NOTHING.to_json(), "fault": type(error).__name__}
    return json.dumps(found).encode()


if __name__ == "__main__":
    cells.serve(answer)
