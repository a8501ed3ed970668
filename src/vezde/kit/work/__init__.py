"""Work apart from the request that caused it: stages, wake-ups, leases, jobs, the timetable, calls.

A *stage* claims a batch, works it, commits, and says how much it did. Work that only touches the
database runs in the claiming transaction (`SKIP LOCKED`); work that asks a vendor is *leased*
(`leases`). A *job* is one-off work due at a programme time, a *tick* comes round by the timetable,
a *call* is CPU work that a face hands to a worker process and waits for.

Nothing is lost when a wake-up is: rows say what is to do, every stage looks each second.
Back-off is by the wall; what falls due is by the programme's clock, which a sandbox moves
(`sandbox.advance`) while the stages pause.
"""

from vezde.kit.work.stages import Runner, Stage
from vezde.kit.work.wake import Waker

__all__ = ["Runner", "Stage", "Waker"]
