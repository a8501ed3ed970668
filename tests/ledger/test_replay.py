"""The ledger in PostgreSQL against the ledger as a fold, after every step of a made-up life.

`VEZDE_LEDGER_STEPS` is how many steps there are in all: 10 000 by default, 100 000 by night.
"""

import asyncio
import os

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from ledger.machine import LedgerMachine
from vezde.kit import db as kit_db

STEPS = int(os.environ.get("VEZDE_LEDGER_STEPS", "10000"))
STEPS_A_LIFE = 50


class TestReplay:
    def test_gives_what_the_database_gives(self, shared_copy):
        with asyncio.Runner() as runner:
            db = runner.run(kit_db.connect(shared_copy.app))
            machine = type("Machine", (LedgerMachine,), {"runner": runner, "db": db})
            try:
                run_state_machine_as_test(
                    machine,
                    settings=settings(
                        max_examples=max(STEPS // STEPS_A_LIFE, 1),
                        stateful_step_count=STEPS_A_LIFE,
                        deadline=None,
                        suppress_health_check=list(HealthCheck),
                    ),
                )
            finally:
                runner.run(db.close())
