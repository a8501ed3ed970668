"""A population from a seed: everything that is shown, in the order it is shown in."""

import random
from collections.abc import Sequence

from cheating.cheats import CHEATS
from cheating.people import Crowd, honest
from cheating.world import END, Showing, World


def population(seed: int, *, people: int = 3_000, cheats: int = 12) -> Sequence[Showing]:
    """What `people` honest persons or homes and `cheats` cheats of each kind show in two months."""
    crowd = Crowd(World.made(random.Random(seed)))
    honest(crowd, people)
    for cheat in CHEATS:
        for _ in range(cheats):
            cheat(crowd)
    shown = [one for one in crowd.showings if one.bought_at < END]
    return sorted(shown, key=lambda one: (one.shown_at, one.fn, one.fd))
