"""One of the targets, fuzzed by coverage for as long as one likes; `make nightly` runs them all.

    PYTHONPATH=.venv/nightly:src:tests .venv/bin/python tests/fuzz/reading.py files -max_total_time=3600

The first argument names the target, the others are libFuzzer's. Whatever is raised but our own
errors ends the run and leaves the input in `crash-…`; put it into a test.
"""

import sys

import atheris

with atheris.instrument_imports(
    include=["vezde.catalog", "vezde.receipts", "vezde.purchases", "email", "html.parser"]
):
    from fuzz import targets


def main() -> None:
    name = sys.argv.pop(1) if len(sys.argv) > 1 else ""
    if name not in targets.TARGETS:
        sys.exit(f"say what is fuzzed: {', '.join(targets.TARGETS)}")
    target = targets.TARGETS[name]
    atheris.Setup(sys.argv, lambda data: targets.once(target, data))
    atheris.Fuzz()


if __name__ == "__main__":
    main()
