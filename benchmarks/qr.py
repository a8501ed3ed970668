"""How many receipts' codes are read from bad photos, how fast, and never a wrong one.

    python benchmarks/qr.py [--renders 20] [--seed 11] [--kind NAME]

Draws receipts (text, a QR of level M with modules of 4 to 8 pixels), spoils each in 22 ways as
phones, messengers and time do, and reads them as every door does. Prints a JSON line a kind and
one for all: share read, wrong texts (must be 0), milliseconds of one core. Opening the file counts.
"""

import argparse
import json
import random
import statistics
import sys
import time

from spoiling import KINDS, drawn, saved

from vezde.kit.errors import DomainError
from vezde.receipts.qr import images


def main() -> int:
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("--renders", type=int, default=20)
    given.add_argument("--seed", type=int, default=11)
    given.add_argument("--kind", choices=sorted(KINDS))
    options = given.parse_args()
    images.look(saved(*drawn(random.Random(0))[:1], "PNG"))  # imports are not measured
    read = wrong = looked = 0
    times: list[float] = []
    for name in [options.kind] if options.kind else KINDS:
        good, bad, spent = measured(name, options)
        say(name, good, bad, spent)
        read, wrong, looked = read + good, wrong + bad, looked + len(spent)
        times += spent
    say("all", read, wrong, times)
    return 0 if not wrong else 1


def measured(name: str, options: argparse.Namespace) -> tuple[int, int, list[float]]:
    """Read, wrong, milliseconds each."""
    good = bad = 0
    spent = []
    for number in range(options.renders):
        # The same receipts for each kind, spoilt by chance of their own.
        picture, fields = drawn(random.Random(f"{options.seed}/{number}"))
        data = KINDS[name](picture, random.Random(f"{options.seed}/{number}/{name}"))
        began = time.process_time()
        try:
            found = images.look(data).receipts
        except DomainError:
            found = ()
        spent.append((time.process_time() - began) * 1000)
        good += found == (fields,)
        bad += any(one != fields for one in found)
    return good, bad, spent


def say(kind: str, read: int, wrong: int, spent: list[float]) -> None:
    line = {
        "figure": "qr",
        "kind": kind,
        "pictures": len(spent),
        "read_share": round(read / len(spent), 4),
        "wrong": wrong,
        "ms_median": round(statistics.median(spent), 1),
        "ms_p95": round(sorted(spent)[int(len(spent) * 0.95)], 1),
        "ms_longest": round(max(spent), 1),
    }
    print(json.dumps(line), flush=True)


if __name__ == "__main__":
    sys.exit(main())
