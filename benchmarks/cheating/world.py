"""Where the people of the population shop: cities, shops, tills that number their documents."""

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta

START = datetime(2026, 9, 1)  # Moscow's time, as all times here
DAYS = 60
END = START + timedelta(days=DAYS)

# City, its subject as addresses print it, its share of people, hours by plane from Moscow, hours
# that its clocks are ahead of Moscow's.
CITIES = (
    ("Москва", "г. Москва", 30, 0.0, 0),
    ("Химки", "Московская область, г. Химки", 8, 0.5, 0),
    ("Санкт-Петербург", "г. Санкт-Петербург", 14, 1.5, 0),
    ("Казань", "Республика Татарстан, г. Казань", 8, 1.7, 0),
    ("Екатеринбург", "Свердловская область, г. Екатеринбург", 8, 2.4, 2),
    ("Новосибирск", "Новосибирская область, г. Новосибирск", 8, 4.0, 4),
    ("Самара", "Самарская область, г. Самара", 6, 1.8, 1),
    ("Краснодар", "Краснодарский край, г. Краснодар", 6, 2.2, 0),
    ("Воронеж", "Воронежская область, г. Воронеж", 5, 1.2, 0),
    ("Тверь", "Тверская область, г. Тверь", 4, 1.5, 0),
    ("Владивосток", "Приморский край, г. Владивосток", 3, 8.3, 7),
)
# Products by barcode: recommended prices in kopecks.
PRODUCTS = {
    f"046050350{number:05d}": price * 100
    for number, price in enumerate(
        (290, 350, 420, 490, 560, 690, 790, 890, 990, 1290, 1490, 1990), start=10001
    )
}
MARKED = frozenset(list(PRODUCTS)[::3])  # these carry a code of their own on every pack
CHAINS = ("2310031475", "7825706086", "7728029110", "7814148471")
MARKETPLACES = (("7704217370", "ozon.ru"), ("9714053621", "wildberries.ru"))


@dataclass(frozen=True, slots=True)
class Bought:
    """A line: a product's barcode, pieces, kopecks a piece, the pack's serial where it has one."""

    gtin: str
    pieces: int
    unit_kopecks: int
    serial: str | None = None


@dataclass(frozen=True, slots=True)
class Showing:
    """A receipt as a member shows it; `kind` is the truth, and `cheat` whether it is one."""

    member: int
    device: int | None
    shown_at: datetime
    bought_at: datetime
    fn: int
    fd: int
    inn: str
    seller: str
    address: str | None
    site: str | None
    lines: tuple[Bought, ...]
    kind: str
    cheat: bool


@dataclass(slots=True)
class Till:
    """Numbers go on with time, so that neighbours in time are neighbours in number."""

    fn: int
    first: int
    per_hour: float
    used: set[int] = field(default_factory=set)

    def number(self, at: datetime) -> int:
        hours = (at - START).total_seconds() / 3600 + 24 * 60
        number = self.first + int(hours * self.per_hour)
        while number in self.used:
            number += 1
        self.used.add(number)
        return number


@dataclass(frozen=True, slots=True)
class Shop:
    inn: str
    name: str
    city: str | None
    address: str | None
    site: str | None
    tills: tuple[Till, ...]


@dataclass(slots=True)
class World:
    """Shops of each city, and the marketplaces; drawn from a seed."""

    rng: random.Random
    shops: dict[str, list[Shop]] = field(default_factory=dict)
    online: list[Shop] = field(default_factory=list)
    tills: int = 0
    serials: int = 0

    @classmethod
    def made(cls, rng: random.Random) -> "World":
        world = cls(rng)
        for city, subject, *_ in CITIES:
            chains = [world.shop(rng.choice(CHAINS), "Сеть", city, subject) for _ in range(24)]
            small = [world.stranger(city, subject) for _ in range(12)]
            world.shops[city] = chains + small
        for inn, site in MARKETPLACES:
            tills = tuple(world.till(rng.uniform(400, 2000)) for _ in range(4))
            world.online.append(Shop(inn, site, None, None, site, tills))
        return world

    def shop(self, inn: str, name: str, city: str, subject: str) -> Shop:
        street = f"{subject}, ул. Садовая, д. {self.rng.randrange(1, 400)}"
        tills = tuple(self.till(self.rng.uniform(4, 25)) for _ in range(self.rng.randrange(1, 5)))
        return Shop(inn, name, city, street, None, tills)

    def stranger(self, city: str, subject: str) -> Shop:
        """A shop that nobody has named yet, as most pharmacies are at first."""
        inn = str(self.rng.randrange(10**9, 10**10))
        return self.shop(inn, "Аптека", city, subject)

    def till(self, per_hour: float) -> Till:
        self.tills += 1
        first = self.rng.randrange(1_000, 90_000)
        return Till(9_900_000_000_000_000 + self.tills * 7_919, first, per_hour)

    def home(self) -> str:
        return self.rng.choices([one[0] for one in CITIES], [one[2] for one in CITIES])[0]

    def basket(self, *, cheap: float = 0.0) -> tuple[Bought, ...]:
        """One to three products about their recommended price; `cheap` is the share on sale."""
        rng, lines = self.rng, []
        for gtin in rng.sample(list(PRODUCTS), rng.choices((1, 2, 3), (70, 22, 8))[0]):
            share = rng.gauss(1.0, 0.12)
            if rng.random() < 0.12 + cheap:
                share = rng.uniform(0.38, 0.75)
            price = max(100, int(PRODUCTS[gtin] * min(max(share, 0.3), 1.45)))
            lines.append(
                Bought(gtin, rng.choices((1, 2, 3), (85, 12, 3))[0], price, self.pack(gtin))
            )
        return tuple(lines)

    def pack(self, gtin: str) -> str | None:
        if gtin not in MARKED or self.rng.random() < 0.3:  # tills do not print each code
            return None
        self.serials += 1
        return f"s{self.serials:012d}"

    def day(self, *, spare: int = 3) -> datetime:
        return START + timedelta(days=self.rng.randrange(0, DAYS - spare))

    def daytime(self, day: datetime) -> datetime:
        """A moment of shops' hours, evenings more often."""
        hour = self.rng.choices(range(9, 22), (2, 3, 4, 5, 5, 4, 4, 5, 7, 9, 8, 5, 2))[0]
        return day.replace(hour=hour, minute=self.rng.randrange(60), second=0)
