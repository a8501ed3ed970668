"""Every target fuzzed for `VEZDE_FUZZ_SECONDS` (60 by default), those named or all: `make nightly`.

What was met is kept in `var/fuzz`, so each night goes on from the last. Ends with 1 and the inputs'
names when something broke, hung for 20 seconds or took 2 GB.
"""

import hashlib
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from fuzz import targets

READING = Path(__file__).with_name("reading.py")
KEPT = Path("var") / "fuzz"
SECONDS = int(os.environ.get("VEZDE_FUZZ_SECONDS", "60"))
LIMITS = ("-timeout=20", "-rss_limit_mb=2048", "-print_final_stats=1", "-verbosity=0")


def main(names: Sequence[str]) -> None:
    unknown = set(names) - set(targets.TARGETS)
    if unknown:
        sys.exit(f"There is no {', '.join(unknown)}; there are {', '.join(targets.TARGETS)}.")
    broken = [name for name in names or targets.TARGETS if not _survives(name)]
    if broken:
        sys.exit(f"Broken: {', '.join(broken)}. The inputs are in {KEPT}; put them into tests.")


def _survives(name: str) -> bool:
    folder = KEPT / name
    corpus = folder / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for seed in targets.seeds()[name]:
        (corpus / hashlib.sha1(seed, usedforsecurity=False).hexdigest()).write_bytes(seed)
    command = [
        *(sys.executable, str(READING), name, str(corpus)),
        *(f"-max_total_time={SECONDS}", f"-artifact_prefix={folder}/", *LIMITS),
    ]
    print(f"{name}: {SECONDS} s, {len(list(corpus.iterdir()))} inputs to begin with", flush=True)
    return subprocess.run(command, check=False).returncode == 0


if __name__ == "__main__":
    main(sys.argv[1:])
