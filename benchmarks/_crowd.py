"""People who talk to a bot at a fixed rate of updates, whether it answers or not.

Newcomers go from /start to their phone; whoever has been here comes back and looks things up, shows
receipts, asks for help. A person acts every few seconds, as people do; the rate holds because there
are as many of them as it takes.
"""

import heapq
import io
import itertools
import random
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import zxingcpp
from PIL import Image, ImageDraw

from vezde.receipts.model import FiscalDocument
from vezde.testing.telegram import actions
from vezde.testing.telegram.actions import NoSuchButton
from vezde.testing.telegram.fake import FakeTelegram
from vezde.testing.telegram.files import Picture, picture_sizes
from vezde.testing.telegram.model import User

THINKS = (3.0, 7.0)  # seconds between two acts of a person
NEWCOMERS = 0.35  # of those who come
WIDTH, HEIGHT = 960, 1280  # what Telegram makes of a phone's photo
SHOPS = ("Wildberries", "Ozon", "Яндекс Маркет", "Золотое Яблоко", "Бумажный чек")
ODD = (
    {"message_reaction": {"chat": {"id": 1, "type": "private"}, "message_id": 1}},
    {"brand_new_kind": {"deep": [1, None]}},
    {"message": {"chat": {"id": "x", "type": "private"}, "from": {"id": 1}}},
)

Script = Iterator[str]


class Papers:
    """Receipts to show, each with its picture: made before the clock runs."""

    def __init__(self, papers: Sequence[FiscalDocument], *, pictures: int) -> None:
        sheet = _sheet()
        small = picture_sizes(_jpeg(sheet))[:-1]
        self._photos = deque([*small, _photo(sheet, paper)] for paper in papers[:pictures])
        self._texts = deque(paper.qr.text() for paper in papers[pictures:])
        self.shown = 0

    def photo(self) -> list[Picture]:
        self.shown += 1
        return self._photos.popleft()

    def text(self) -> str:
        self.shown += 1
        return self._texts.popleft()


@dataclass
class Crowd:
    """`wanted`: updates that call for an answer, and of what kind each is; `known`: who has been
    here and is not just now.
    """

    fake: FakeTelegram
    papers: Papers
    chance: random.Random = field(default_factory=lambda: random.Random(1))
    wanted: dict[int, str] = field(default_factory=dict)
    made: int = 0
    missed_buttons: int = 0
    late_seconds: float = 0.0
    agreed: list[User] = field(default_factory=list)
    known: deque[User] = field(default_factory=deque)
    _waiting: list[tuple[float, int, Script]] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def run(self, rate: float, seconds: float, *, rising: bool = False) -> None:
        """Act `rate` updates a second; late acts are not left out, and `late_seconds` says so.

        `rising`: from hardly any to `rate` by the end. Then people come as evenly as they do
        afterwards: over as long as a conversation takes, it leaves them at every point of theirs.
        """
        start = slot = time.perf_counter()
        while slot - start < seconds:
            now = time.perf_counter()
            if now < slot:
                time.sleep(slot - now)
            self.late_seconds = max(self.late_seconds, now - slot)
            before = self.made
            self._next(slot)
            share = max(slot - start, 1) / seconds if rising else 1
            slot += max(self.made - before, 1) / (rate * share)

    def _next(self, now: float) -> None:
        if self._waiting and self._waiting[0][0] <= now:
            _due, _number, script = heapq.heappop(self._waiting)
        else:
            script = self._comes()
        if next(script, None) is not None:
            due = now + self.chance.uniform(*THINKS)
            heapq.heappush(self._waiting, (due, next(self._numbers), script))
        else:
            self._next(now)

    def _comes(self) -> Script:
        if self.known and self.chance.random() > NEWCOMERS:
            return self._returns(self.known.popleft())
        number = next(self._numbers)
        return self._joins(self.fake.world.add_user(f"Гость {number}"))

    def _joins(self, who: User) -> Script:
        yield self._says(who, "/start")
        yield self._taps(who, "Дальше")
        yield self._taps(who, "Даю согласие")
        self.agreed.append(who)
        yield self._shows(who)
        yield self._says(who, "/balance")
        yield self._taps(who, "История")
        yield self._taps(who, "Почему столько")
        yield self._gives_phone(who)
        yield self._taps(who, "Нет, спасибо")
        self.known.append(who)

    def _returns(self, who: User) -> Script:
        whiles: Sequence[tuple[int, Callable[[User], Script]]] = (
            (24, lambda one: iter([self._says(one, "/balance")])),
            (14, self._looks_up),
            (12, self._asks_for_help),
            (16, lambda one: iter([self._shows(one)])),
            (12, lambda one: iter([self._says(one, self.papers.text())])),
            (3, lambda one: iter([self._shows_album(one)])),
            (5, lambda one: iter([self._says(one, "/settings")])),
            (6, lambda one: iter([self._says(one, "Спасибо!")])),
            (4, lambda one: iter([self._says(one, "/start")])),
            (4, lambda _one: iter([self._odd()])),
        )
        kinds = [one for _weight, one in whiles]
        for does in self.chance.choices(kinds, [weight for weight, _one in whiles], k=6):
            yield from does(who)
        self.known.append(who)

    def _looks_up(self, who: User) -> Script:
        yield self._says(who, "/history")
        yield self._taps(who, "Почему столько")

    def _asks_for_help(self, who: User) -> Script:
        yield self._says(who, "/help")
        yield self._taps(who, self.chance.choice(SHOPS))
        yield self._taps(who, "Назад")

    def _says(self, who: User, text: str) -> str:
        return self._act(lambda: actions.say(*self._world, who, text), "text")

    def _taps(self, who: User, button: str) -> str:
        try:
            return self._act(lambda: actions.tap(*self._world, who, button), "tap")
        except NoSuchButton:
            self.missed_buttons += 1
            return self._says(who, "/balance")

    def _shows(self, who: User) -> str:
        photo = self.papers.photo()
        return self._act(lambda: actions.show_photo(*self._world, who, photo), "photo")

    def _shows_album(self, who: User) -> str:
        photos = [self.papers.photo() for _ in range(2)]
        return self._act(lambda: actions.show_album(*self._world, who, photos), "album")

    def _gives_phone(self, who: User) -> str:
        card = actions.own_contact(who)
        return self._act(lambda: actions.give_contact(*self._world, who, card), "contact")

    def _odd(self) -> str:
        odd = self.chance.choice(ODD)
        return self._act(lambda: self.fake.update(dict(odd)), None)

    @property
    def _world(self) -> tuple:
        return self.fake.world, self.fake.bot

    def _act(self, act: Callable[[], object], kind: str | None) -> str:
        with self.fake.world.lock:
            updates = self.fake.bot.updates
            first = updates.next_id
            act()
            made = range(first, updates.next_id)
        self.made += len(made)
        if kind is not None:
            self.wanted |= dict.fromkeys(made, kind)
        return "acted"


def _sheet() -> Image.Image:
    """A receipt as it lies on a table, without its code."""
    sheet = Image.new("L", (WIDTH, HEIGHT), 110)
    sheet.paste(246, (120, 0, 840, HEIGHT))
    draw = ImageDraw.Draw(sheet)
    for row in range(60, 640, 26):
        draw.line((170, row, 420 + row * 7 % 360, row), fill=80, width=6)
    return sheet


def _photo(sheet: Image.Image, paper: FiscalDocument) -> Picture:
    code = zxingcpp.create_barcode(paper.qr.text(), zxingcpp.BarcodeFormat.QRCode)
    modules = Image.fromarray(zxingcpp.write_barcode_to_image(code, scale=12))
    shown = sheet.copy()
    shown.paste(modules, (480 - modules.width // 2, 720))
    return Picture(_jpeg(shown), WIDTH, HEIGHT)


def _jpeg(sheet: Image.Image) -> bytes:
    written = io.BytesIO()
    sheet.save(written, "JPEG", quality=87)
    return written.getvalue()
