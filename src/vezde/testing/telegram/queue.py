"""Updates that wait for a bot: only an offset confirms them, all below it at once.

https://core.telegram.org/bots/api#getupdates. To order: the same update again, and updates out
of their order; both happen in life when a server of Telegram's or of the bot's dies.
"""

from collections import deque
from collections.abc import Collection, Iterable

from vezde.testing.telegram.model import Update

KEPT_PENDING = 100_000
KEPT_CONFIRMED = 1_000
# What a bot gets only when it asks by name.
BY_NAME_ONLY = frozenset({"chat_member", "message_reaction", "message_reaction_count"})


class Updates:
    """One bot's queue. `allowed` None is everything but `BY_NAME_ONLY`."""

    def __init__(self, first_id: int) -> None:
        self.next_id = first_id
        self.allowed: frozenset[str] | None = None
        self.pending: deque[Update] = deque()
        self.confirmed: deque[Update] = deque(maxlen=KEPT_CONFIRMED)
        self.held: list[Update] | None = None
        self.lost = 0  # forgotten unconfirmed: the queue was full
        self._disordered = False

    def allow(self, kinds: Collection[str]) -> None:
        """An empty list is everything but `BY_NAME_ONLY` again."""
        self.allowed = frozenset(kinds) or None

    def wants(self, kind: str) -> bool:
        return kind in self.allowed if self.allowed is not None else kind not in BY_NAME_ONLY

    def take_id(self) -> int:
        self.next_id += 1
        return self.next_id - 1

    def add(self, update: Update) -> None:
        if self.held is not None:
            self.held.append(update)
            return
        self.pending.append(update)
        if len(self.pending) > KEPT_PENDING:
            self.pending.popleft()
            self.lost += 1

    def take(self, offset: int, limit: int) -> list[Update]:
        """Confirm all below the offset, hand out the next; a negative offset keeps the last."""
        if offset < 0:
            while len(self.pending) > -offset:
                self.confirmed.append(self.pending.popleft())
        else:
            self._confirm(offset)
        handed = [self.pending[index] for index in range(min(limit, len(self.pending)))]
        for update in handed:
            update.owed = False
        return handed

    def confirm_one(self, update: Update) -> None:
        """What a webhook took with 2xx."""
        if update in self.pending:
            self.pending.remove(update)
            self.confirmed.append(update)

    def drop_pending(self) -> None:
        self.pending.clear()

    def repeat(self, count: int) -> int:
        """The last `count` confirmed updates come again as they were; how many there are."""
        again = [self.confirmed.pop() for _ in range(min(count, len(self.confirmed)))]
        self._return(reversed(again))
        return len(again)

    def hold(self) -> None:
        """Updates from now on wait for `release`."""
        if self.held is None:
            self.held = []

    def release(self, order: Iterable[int] | None = None, *, backwards: bool = False) -> int:
        """Held updates go out, in the order of indexes given or backwards; how many."""
        held, self.held = self.held or [], None
        indexes = list(order) if order is not None else list(range(len(held)))
        if backwards:
            indexes.reverse()
        chosen = [held[index] for index in indexes]
        if chosen != held:
            self._disordered = True
            for update in chosen:
                update.owed = True
        self.pending.extend(chosen)
        return len(chosen)

    def _confirm(self, offset: int) -> None:
        pending = self.pending
        if self._disordered:
            done = [update for update in pending if update.id < offset and not update.owed]
            self.confirmed.extend(done)
            self.pending = deque(update for update in pending if update.id >= offset or update.owed)
            ids = [update.id for update in self.pending]
            self._disordered = ids != sorted(ids) or any(one.owed for one in self.pending)
            return
        while pending and pending[0].id < offset:
            self.confirmed.append(pending.popleft())

    def _return(self, updates: Iterable[Update]) -> None:
        self._disordered = True
        returned = list(updates)
        for update in returned:
            update.owed = True
        self.pending.extendleft(reversed(returned))
