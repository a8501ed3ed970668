"""Known ways of cheating, as organisers of receipt promotions tell of them."""

from datetime import datetime, timedelta

from cheating.people import Crowd
from cheating.world import CITIES, MARKED, PRODUCTS, START, Bought, Shop

SUBJECTS = {city: subject for city, subject, *_ in CITIES}


def picked_up(crowd: Crowd) -> None:
    """Receipts from bins and trays of the shops nearby, every few days a handful."""
    who, city = (crowd.member(), crowd.device()), crowd.world.home()
    shops = crowd.rng.sample(crowd.world.shops[city], 3)
    day = crowd.world.day(spare=25)
    for _ in range(crowd.rng.randrange(5, 12)):
        evening = day.replace(hour=22, minute=crowd.rng.randrange(60))
        for _ in range(crowd.rng.randrange(3, 9)):
            at = crowd.world.daytime(day)
            shop = crowd.rng.choice(shops)
            crowd.show(who, shop, at, "picked_up", shown_at=evening, cheat=True)
        day += timedelta(days=crowd.rng.choice((1, 1, 2, 3)))


def cashier(crowd: Crowd) -> None:
    """Keeps what customers leave: neighbours in number, from the one till they sit at."""
    who, city = (crowd.member(), crowd.device()), crowd.world.home()
    shop = crowd.rng.choice(crowd.world.shops[city])
    day = crowd.world.day(spare=25)
    for _ in range(crowd.rng.randrange(4, 10)):
        at = day.replace(hour=crowd.rng.randrange(10, 18))
        shown = at + timedelta(hours=crowd.rng.uniform(1, 5))
        for _ in range(crowd.rng.randrange(3, 9)):
            at += timedelta(minutes=crowd.rng.randrange(3, 40))
            crowd.show(who, shop, at, "cashier", shown_at=max(at, shown), till=0, cheat=True)
        day += timedelta(days=crowd.rng.choice((1, 2, 3)))


def same_pack(crowd: Crowd) -> None:
    """Buys a jar, brings it back, buys it again: one pack on receipt after receipt."""
    who, city = (crowd.member(), crowd.device()), crowd.world.home()
    gtin = crowd.rng.choice(sorted(MARKED))
    serial, day = f"again{crowd.members:08d}", crowd.world.day(spare=25)
    for _ in range(crowd.rng.randrange(3, 9)):
        lines = (Bought(gtin, 1, PRODUCTS[gtin], serial),)
        shop = crowd.rng.choice(crowd.world.shops[city])
        crowd.show(who, shop, crowd.world.daytime(day), "same_pack", lines=lines, cheat=True)
        day += timedelta(days=crowd.rng.choice((1, 2, 4)))


def everywhere(crowd: Crowd) -> None:
    """Receipts traded in chats: cities that nobody visits in one day."""
    who = (crowd.member(), crowd.device())
    for _ in range(crowd.rng.randrange(5, 12)):
        day = crowd.world.day()
        evening = day.replace(hour=23)
        for _ in range(crowd.rng.randrange(2, 5)):
            shop = crowd.rng.choice(crowd.world.shops[crowd.world.home()])
            at = crowd.world.daytime(day)
            crowd.show(who, shop, at, "everywhere", shown_at=evening, cheat=True)


def farm(crowd: Crowd) -> None:
    """One person, one telephone, a dozen accounts or three, each with little."""
    crowd.devices += 1
    device, city = crowd.devices, crowd.world.home()
    for _ in range(crowd.rng.randrange(8, 31)):
        who = (crowd.member(), device)
        for _ in range(crowd.rng.randrange(1, 5)):
            at = crowd.world.daytime(crowd.world.day())
            crowd.show(who, crowd.usual(city), at, "farm", cheat=True)


def night(crowd: Crowd) -> None:
    """A till that prints for its own people while the shop is shut."""
    who, city = (crowd.member(), crowd.device()), crowd.world.home()
    shop = crowd.rng.choice(crowd.world.shops[city])
    for _ in range(crowd.rng.randrange(2, 6)):
        at = crowd.world.day() + timedelta(hours=crowd.rng.uniform(0.5, 3.5))
        for _ in range(crowd.rng.randrange(4, 11)):
            at += timedelta(minutes=crowd.rng.randrange(1, 12))
            crowd.show(who, shop, at, "night", cheat=True)


def own_till(crowd: Crowd) -> None:
    """A firm made for it: a till of its own, the brand's names, prices that nobody pays."""
    city = crowd.world.home()
    shop = crowd.world.stranger(city, SUBJECTS[city])
    high = crowd.rng.random() < 0.7
    people = [(crowd.member(), crowd.device()) for _ in range(crowd.rng.randrange(1, 4))]
    for _ in range(crowd.rng.randrange(10, 41)):
        factor = crowd.rng.uniform(1.7, 4.0) if high else crowd.rng.uniform(0.05, 0.3)
        gtin = crowd.rng.choice(list(PRODUCTS))
        pieces = crowd.rng.randrange(1, 4)
        lines = (Bought(gtin, pieces, int(PRODUCTS[gtin] * factor)),)
        at = crowd.world.daytime(crowd.world.day())
        crowd.show(crowd.rng.choice(people), shop, at, "own_till", lines=lines, cheat=True)


def flood(crowd: Crowd) -> None:
    """As many as there are hours, from wherever: friends' receipts, a colleague's, a reseller's."""
    who, city = (crowd.member(), crowd.device()), crowd.world.home()
    for _ in range(crowd.rng.randrange(2, 6)):
        day = crowd.world.day()
        at = day.replace(hour=10)
        for _ in range(crowd.rng.randrange(8, 21)):
            at += timedelta(minutes=crowd.rng.randrange(2, 45))
            crowd.show(who, crowd.usual(city), at, "flood", cheat=True)


def old(crowd: Crowd) -> None:
    """A bag of old receipts, bought from somebody, shown in one evening."""
    who, city = (crowd.member(), crowd.device()), crowd.world.home()
    evening = START + timedelta(days=crowd.rng.randrange(31, 57), hours=21)
    for number in range(crowd.rng.randrange(15, 46)):
        at = crowd.world.daytime(_midnight(evening) - timedelta(days=crowd.rng.randrange(8, 29)))
        shown = evening + timedelta(minutes=number)
        crowd.show(who, _anywhere(crowd, city), at, "old", shown_at=shown, cheat=True)


def _midnight(at: datetime) -> datetime:
    return at.replace(hour=0, minute=0)


def _anywhere(crowd: Crowd, city: str) -> Shop:
    return crowd.rng.choice(crowd.world.shops[city])


CHEATS = (picked_up, cashier, same_pack, everywhere, farm, night, own_till, flood, old)
