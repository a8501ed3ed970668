"""Honest members, each in their own way: a function gives one person's (or home's) receipts."""

from datetime import datetime, timedelta

from cheating.world import CITIES, DAYS, START, Bought, Shop, Showing, World

FLIGHT = {city: hours for city, _, _, hours, _ in CITIES}
AHEAD = {city: timedelta(hours=hours) for city, _, _, _, hours in CITIES}


class Crowd:
    """Numbers members and devices, and writes down what they show."""

    def __init__(self, world: World) -> None:
        self.world, self.rng = world, world.rng
        self.members = self.devices = 0
        self.showings: list[Showing] = []

    def member(self) -> int:
        self.members += 1
        return self.members

    def device(self) -> int | None:
        """Most come by an application that gives a mark, others by a messenger that does not."""
        self.devices += 1
        return self.devices if self.rng.random() < 0.7 else None

    def show(
        self,
        who: tuple[int, int | None],
        shop: Shop,
        bought_at: datetime,
        kind: str,
        *,
        shown_at: datetime | None = None,
        lines: tuple[Bought, ...] | None = None,
        till: int | None = None,
        fd: int | None = None,
        cheat: bool = False,
    ) -> int:
        """Write one down; answers its document number."""
        chosen = shop.tills[till] if till is not None else self.rng.choice(shop.tills)
        number = chosen.number(bought_at) if fd is None else fd
        chosen.used.add(number)
        self.showings.append(
            Showing(
                *who,
                shown_at=shown_at or self.soon(bought_at),
                bought_at=bought_at,
                fn=chosen.fn,
                fd=number,
                inn=shop.inn,
                seller=shop.name,
                address=shop.address,
                site=shop.site,
                lines=lines or self.world.basket(),
                kind=kind,
                cheat=cheat,
            )
        )
        return number

    def soon(self, bought_at: datetime) -> datetime:
        """Minutes after, or that evening, or days after."""
        late = self.rng.choices((0.2, 6, 30, 150), (40, 30, 20, 10))[0]
        return bought_at + timedelta(hours=self.rng.uniform(0.05, late))

    def usual(self, city: str) -> Shop:
        """A shop nearby, or a marketplace."""
        if self.rng.random() < 0.45:
            return self.rng.choice(self.world.online)
        return self.rng.choice(self.world.shops[city])


def ordinary(crowd: Crowd) -> None:
    who, city = (crowd.member(), crowd.device()), crowd.world.home()
    favourites = [crowd.usual(city) for _ in range(4)]
    for _ in range(crowd.rng.randrange(1, 6)):
        shop = crowd.rng.choice(favourites)
        crowd.show(who, shop, crowd.world.daytime(crowd.world.day()), "ordinary")


def family(crowd: Crowd) -> None:
    """Two to four members on one device, one basket paid apart now and then."""
    device, city = crowd.device(), crowd.world.home()
    home = [(crowd.member(), device) for _ in range(crowd.rng.randrange(2, 5))]
    shops = [crowd.usual(city) for _ in range(3)]
    for _ in range(crowd.rng.randrange(4, 12)):
        at, shop = crowd.world.daytime(crowd.world.day()), crowd.rng.choice(shops)
        payers = crowd.rng.sample(home, crowd.rng.choice((1, 1, 2)))
        for payer in payers:
            crowd.show(payer, shop, at, "family", till=0)
        if crowd.rng.random() < 0.15:  # and one more thing, forgotten
            crowd.show(payers[0], shop, at + timedelta(minutes=4), "family", till=0)


def heavy(crowd: Crowd) -> None:
    """Buys a lot, sometimes thrice a day, and buys for colleagues."""
    who, city = (crowd.member(), crowd.device()), crowd.world.home()
    for _ in range(crowd.rng.randrange(14, 32)):
        day = crowd.world.day()
        for _ in range(crowd.rng.choices((1, 2, 3), (75, 20, 5))[0]):
            crowd.show(who, crowd.usual(city), crowd.world.daytime(day), "heavy")


def pharmacist(crowd: Crowd) -> None:
    """Works nights and buys for themselves where they work."""
    who, city = (crowd.member(), crowd.device()), crowd.world.home()
    shop = crowd.rng.choice(crowd.world.shops[city])
    for _ in range(crowd.rng.randrange(5, 11)):
        night = crowd.world.day() + timedelta(hours=crowd.rng.uniform(0.3, 5.5))
        for _ in range(crowd.rng.choices((1, 2), (80, 20))[0]):
            crowd.show(who, shop, night + timedelta(minutes=crowd.rng.randrange(150)), "pharmacist")


def marketplace(crowd: Crowd) -> None:
    """Orders by the dozen: a till of the marketplace prints them one after another, at any hour."""
    who = (crowd.member(), crowd.device())
    for _ in range(crowd.rng.randrange(3, 9)):
        shop = crowd.rng.choice(crowd.world.online)
        at = crowd.world.day() + timedelta(hours=crowd.rng.uniform(0, 24))
        till, shown = crowd.rng.randrange(len(shop.tills)), crowd.soon(at)
        fd = None
        for _ in range(crowd.rng.choices((1, 2, 4, 7), (30, 35, 25, 10))[0]):
            number = crowd.show(who, shop, at, "marketplace", shown_at=shown, till=till, fd=fd)
            fd = number + crowd.rng.choice((1, 1, 2, 3))


def traveller(crowd: Crowd) -> None:
    """Buys in several cities, and takes the time that flights take."""
    who, home = (crowd.member(), crowd.device()), crowd.world.home()
    at, here = START + timedelta(days=crowd.rng.uniform(0, 5)), home
    while at < START + timedelta(days=DAYS - 4):
        local = at + AHEAD[here]
        if not 8 <= local.hour < 22:
            at += timedelta(hours=1)
            continue
        crowd.show(who, crowd.rng.choice(crowd.world.shops[here]), local, "traveller")
        there = crowd.world.home()
        hours = abs(FLIGHT[here] - FLIGHT[there]) + 3 if there != here else 1
        at += timedelta(hours=hours + crowd.rng.expovariate(0.2))
        at, here = at + timedelta(days=crowd.rng.choice((0, 1, 3, 6))), there


def newcomer(crowd: Crowd) -> None:
    """Has kept a month of receipts, and shows all of them on the first evening."""
    who, city = (crowd.member(), crowd.device()), crowd.world.home()
    first = START + timedelta(days=crowd.rng.randrange(30, DAYS - 3), hours=20)
    for number in range(crowd.rng.randrange(3, 10)):
        day = first - timedelta(days=crowd.rng.randrange(1, 29))
        shown = first + timedelta(minutes=2 * number)
        at = crowd.world.daytime(day.replace(hour=0))
        crowd.show(who, crowd.usual(city), at, "newcomer", shown_at=shown)


def apart(crowd: Crowd) -> None:
    """One account of two who live in two cities."""
    who = (crowd.member(), crowd.device())
    cities = [crowd.world.home(), crowd.world.home()]
    for _ in range(crowd.rng.randrange(6, 14)):
        shop = crowd.rng.choice(crowd.world.shops[crowd.rng.choice(cities)])
        crowd.show(who, shop, crowd.world.daytime(crowd.world.day()), "apart")


def small_town(crowd: Crowd) -> None:
    """There is one shop, and nobody has named it."""
    who, city = (crowd.member(), crowd.device()), crowd.world.home()
    shop = crowd.rng.choice(crowd.world.shops[city][-12:])
    for _ in range(crowd.rng.randrange(3, 9)):
        crowd.show(who, shop, crowd.world.daytime(crowd.world.day()), "small_town")


def gifts(crowd: Crowd) -> None:
    """A day of presents: several shops of one mall, some twice."""
    who, city = (crowd.member(), crowd.device()), crowd.world.home()
    at = crowd.world.day().replace(hour=crowd.rng.randrange(11, 17))
    for _ in range(crowd.rng.randrange(3, 6)):
        at += timedelta(minutes=crowd.rng.randrange(10, 70))
        crowd.show(who, crowd.rng.choice(crowd.world.shops[city]), at, "gifts")


def bargain(crowd: Crowd) -> None:
    """Buys only what is on sale, and then two of it."""
    who, city = (crowd.member(), crowd.device()), crowd.world.home()
    for _ in range(crowd.rng.randrange(3, 10)):
        lines = crowd.world.basket(cheap=0.8)
        at = crowd.world.daytime(crowd.world.day())
        crowd.show(who, crowd.usual(city), at, "bargain", lines=lines)


# How many of a hundred are such.
HONEST = (
    (ordinary, 52),
    (family, 6),
    (heavy, 4),
    (pharmacist, 4),
    (marketplace, 10),
    (traveller, 3),
    (newcomer, 8),
    (apart, 1),
    (small_town, 5),
    (gifts, 3),
    (bargain, 4),
)


def honest(crowd: Crowd, people: int) -> None:
    """Have so many people show what they buy."""
    kinds, shares = [one for one, _ in HONEST], [share for _, share in HONEST]
    for kind in crowd.rng.choices(kinds, shares, k=people):
        kind(crowd)
