"""Draws the pictures of /help into the package: python tests/messaging/draw_help.py.

Schematic screens of our own, nobody's screenshots: grey bars for what does not matter, one thing to
press a step. Needs Liberation Sans (Debian: fonts-liberation); what is drawn is kept in the package.
"""

from collections.abc import Callable
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

FOLDER = Path(__file__).parents[2] / "src/vezde/messaging/pictures"
FONTS = Path("/usr/share/fonts/truetype/liberation")
SCALE = 2  # drawn larger, then made smooth
WIDTH, HEIGHT = 1200, 900
PHONE_WIDTH, PHONE_HEIGHT, TOP = 316, 616, 44
COLUMNS = (58, 442, 826)

PAPER, INK, BACK = "#ffffff", "#22252b", "#eceff3"
FRAME, BAR, PALE = "#3a3f48", "#d5dae1", "#eef1f5"
ACCENT, TINT = "#d6336c", "#fdeaf1"

Screen = Callable[["Pen", int], None]


class Pen:
    """Draws in units of the finished picture."""

    def __init__(self) -> None:
        self.image = Image.new("RGB", (WIDTH * SCALE, HEIGHT * SCALE), BACK)
        self.draw = ImageDraw.Draw(self.image)

    def box(self, x, y, wide, high, fill, *, round_=0, line=None, thick=0) -> None:
        edges = [x * SCALE, y * SCALE, (x + wide) * SCALE, (y + high) * SCALE]
        self.draw.rounded_rectangle(edges, round_ * SCALE, fill, line, thick * SCALE)

    def disc(self, x, y, radius, fill, *, line=None, thick=0) -> None:
        edges = [(x - radius) * SCALE, (y - radius) * SCALE, (x + radius) * SCALE]
        self.draw.ellipse([*edges, (y + radius) * SCALE], fill, line, thick * SCALE)

    def line(self, points, fill, thick) -> None:
        scaled = [(x * SCALE, y * SCALE) for x, y in points]
        self.draw.line(scaled, fill, thick * SCALE, joint="curve")

    def area(self, points, fill) -> None:
        self.draw.polygon([(x * SCALE, y * SCALE) for x, y in points], fill)

    def write(self, x, y, text, size, *, fill=INK, bold=False, anchor="la", wide=None) -> None:
        """Text at that size, or smaller where it would be wider than `wide`."""
        while True:
            name = "LiberationSans-Bold.ttf" if bold else "LiberationSans-Regular.ttf"
            font = ImageFont.truetype(str(FONTS / name), round(size * SCALE))
            if wide is None or font.getlength(text) <= wide * SCALE or size < 16:
                break
            size -= 1
        self.draw.text((x * SCALE, y * SCALE), text, fill, font, anchor)

    def save(self, name: str) -> None:
        small = self.image.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)
        small.quantize(96, dither=Image.Dither.NONE).save(FOLDER / f"{name}.png", optimize=True)


# --- what screens are made of ----------------------------------------------------------------


def phone(pen: Pen, x: int, title: str = "") -> None:
    pen.box(x - 10, TOP - 10, PHONE_WIDTH + 20, PHONE_HEIGHT + 20, FRAME, round_=46)
    pen.box(x, TOP, PHONE_WIDTH, PHONE_HEIGHT, PAPER, round_=36)
    pen.box(x + PHONE_WIDTH / 2 - 42, TOP + 12, 84, 14, FRAME, round_=7)
    if title:
        pen.write(x + 24, TOP + 50, title, 30, bold=True, wide=PHONE_WIDTH - 48)


def bars(pen: Pen, x: int, y: int, *widths: int, high: int = 16, gap: int = 32) -> None:
    for number, wide in enumerate(widths):
        pen.box(x + 24, y + number * gap, wide, high, BAR, round_=high / 2)


def row(pen: Pen, x: int, y: int, text: str = "", *, high: int = 64, press: bool = False) -> None:
    """A line of a list; the one to press is coloured."""
    fill = TINT if press else PALE
    line = ACCENT if press else None
    pen.box(x + 18, y, PHONE_WIDTH - 36, high, fill, round_=16, line=line, thick=4)
    if text:
        ink = ACCENT if press else INK
        pen.write(
            x + 36, y + high / 2, text, 28, fill=ink, bold=press, anchor="lm", wide=PHONE_WIDTH - 96
        )
    else:
        pen.box(x + 36, y + high / 2 - 8, 150, 16, BAR, round_=8)
    tip = x + PHONE_WIDTH - 36
    middle = y + high / 2
    arrow = [(tip - 9, middle - 9), (tip, middle), (tip - 9, middle + 9)]
    pen.line(arrow, ACCENT if press else BAR, 4)


def tabs(pen: Pen, x: int, text: str) -> None:
    """The tabs at the bottom, the last one to be pressed."""
    y = TOP + PHONE_HEIGHT - 104
    pen.box(x + 18, y, PHONE_WIDTH - 36, 3, BAR)
    for number in range(3):
        pen.box(x + 34 + number * 54, y + 28, 30, 30, BAR, round_=9)
    pen.box(x + 178, y + 8, 126, 82, TINT, round_=18, line=ACCENT, thick=4)
    pen.disc(x + 241, y + 28, 9, ACCENT)
    pen.box(x + 225, y + 40, 32, 14, ACCENT, round_=7)
    pen.write(x + 241, y + 71, text, 22, fill=ACCENT, bold=True, anchor="mm", wide=114)


def code(pen: Pen, x: float, y: float, size: float, ink: str = INK) -> None:
    """What looks like a QR code and says nothing."""
    cells = 21
    step = size / cells
    for line in range(cells):
        for column in range(cells):
            corner = (line < 8 or line > 12) and (column < 8 or column > 12)
            if corner and not (line > 12 and column > 12):
                continue
            if (line * 7 + column * 11 + line * column * 3 + line // 3 * column) % 5 in {0, 2}:
                pen.box(x + column * step, y + line * step, step, step, ink)
    for across, down in ((0, 0), (14, 0), (0, 14)):
        left, top = x + across * step, y + down * step
        pen.box(left, top, 7 * step, 7 * step, ink)
        pen.box(left + step, top + step, 5 * step, 5 * step, PAPER)
        pen.box(left + 2 * step, top + 2 * step, 3 * step, 3 * step, ink)


def framed_code(pen: Pen, x: float, y: float, size: float) -> None:
    pen.box(x - 16, y - 16, size + 32, size + 32, PAPER, round_=16, line=ACCENT, thick=6)
    code(pen, x, y, size)


def slip(pen: Pen, x: float, y: float, wide: float, high: float) -> None:
    """A paper receipt with torn ends."""
    teeth = round(wide / 20)
    step = wide / teeth
    below = [(x + wide - n * step / 2, y + high + (12 if n % 2 else 0)) for n in range(teeth * 2)]
    above = [(x + n * step / 2, y - (12 if n % 2 else 0)) for n in range(teeth * 2)]
    pen.area([*above, (x + wide, y), (x + wide, y + high), *below, (x, y + high)], PAPER)


def slip_lines(pen: Pen, x: float, y: float, wide: float, count: int) -> None:
    price = min(52, wide / 4)
    for number in range(count):
        top = y + number * 34
        pen.box(x, top, wide * (0.62 if number % 2 else 0.5), 14, BAR, round_=7)
        pen.box(x + wide - price, top, price, 14, BAR, round_=7)


def receipt(pen: Pen, x: int, title: str) -> None:
    """The receipt on the screen, its code to be photographed."""
    phone(pen, x, title)
    slip_lines(pen, x + 28, TOP + 116, PHONE_WIDTH - 56, 5)
    pen.box(x + 28, TOP + 292, PHONE_WIDTH - 56, 3, BAR)
    framed_code(pen, x + 61, TOP + 342, 194)


def step(pen: Pen, number: int, x: int, *lines: str) -> None:
    """The number and what to do, under its screen."""
    middle, y = x + PHONE_WIDTH / 2, TOP + PHONE_HEIGHT + 52
    pen.disc(middle, y, 32, ACCENT)
    pen.write(middle, y, str(number), 38, fill=PAPER, bold=True, anchor="mm")
    for place, text in enumerate(lines):
        pen.write(middle, y + 66 + place * 46, text, 38, bold=True, anchor="mm", wide=370)


# --- the pictures ----------------------------------------------------------------------------


def wildberries(pen: Pen, say: Callable[..., str]) -> None:
    first, second, third = COLUMNS
    phone(pen, first)
    for line in range(2):
        for column in range(2):
            pen.box(first + 22 + column * 140, TOP + 60 + line * 205, 130, 140, PALE, round_=16)
            pen.box(first + 22 + column * 140, TOP + 212 + line * 205, 96, 14, BAR, round_=7)
    tabs(pen, first, say("Профиль", "Profile"))
    step(pen, 1, first, say("Откройте", "Open"), say("профиль", "your profile"))
    phone(pen, second, say("Профиль", "Profile"))
    for place in range(6):
        press = place == 3
        row(
            pen,
            second,
            TOP + 112 + place * 80,
            say("Чеки", "Receipts") if press else "",
            press=press,
        )
    step(
        pen,
        2,
        second,
        say("Нажмите «Чеки»", "Press Receipts"),
        say("и выберите нужный", "and choose one"),
    )
    receipt(pen, third, say("Чек", "Receipt"))
    step(
        pen,
        3,
        third,
        say("Сделайте скриншот", "Take a screenshot"),
        say("с QR-кодом", "with the QR code"),
    )


def ozon(pen: Pen, say: Callable[..., str]) -> None:
    first, second, third = COLUMNS
    phone(pen, first, say("Заказы", "Orders"))
    for place in range(4):
        top, press = TOP + 112 + place * 120, place == 1
        fill, line = (TINT, ACCENT) if press else (PALE, None)
        pen.box(first + 18, top, PHONE_WIDTH - 36, 104, fill, round_=16, line=line, thick=4)
        pen.box(first + 34, top + 18, 68, 68, PAPER if press else BAR, round_=12)
        ink = ACCENT if press else BAR
        if press:
            pen.write(
                first + 118,
                top + 38,
                say("Получен", "Collected"),
                26,
                fill=ink,
                bold=True,
                anchor="lm",
                wide=170,
            )
        else:
            pen.box(first + 118, top + 30, 120, 16, ink, round_=8)
        pen.box(first + 118, top + 62, 150, 14, BAR, round_=7)
    step(
        pen,
        1,
        first,
        say("Откройте заказ", "Open the order"),
        say("в разделе «Заказы»", "in Orders"),
    )
    phone(pen, second, say("Заказ", "Order"))
    pen.box(second + 18, TOP + 112, PHONE_WIDTH - 36, 150, PALE, round_=16)
    bars(pen, second + 14, TOP + 140, 190, 130, 160)
    row(pen, second, TOP + 282)
    row(pen, second, TOP + 362)
    row(pen, second, TOP + 442, say("Электронные чеки", "Electronic receipts"), press=True)
    row(pen, second, TOP + 522)
    step(pen, 2, second, say("Пролистайте вниз", "Scroll down to"), say("до чеков", "the receipts"))
    receipt(pen, third, say("Чек № 2", "Receipt 2"))
    step(
        pen,
        3,
        third,
        say("Скриншот второго", "A screenshot of"),
        say("чека с QR-кодом", "the second receipt"),
    )


def market(pen: Pen, say: Callable[..., str]) -> None:
    first, second, third = COLUMNS
    phone(pen, first, say("Профиль", "Profile"))
    for place in range(6):
        press = place == 0
        row(
            pen,
            first,
            TOP + 112 + place * 80,
            say("Заказы", "Orders") if press else "",
            press=press,
        )
    step(
        pen,
        1,
        first,
        say("Откройте заказ", "Open the order"),
        say("в разделе «Заказы»", "in Orders"),
    )
    phone(pen, second, say("Заказ", "Order"))
    pen.box(second + 18, TOP + 112, PHONE_WIDTH - 36, 190, PALE, round_=16)
    pen.box(second + 34, TOP + 132, 96, 96, BAR, round_=12)
    pen.box(second + 148, TOP + 142, 120, 16, BAR, round_=8)
    pen.box(second + 148, TOP + 176, 90, 16, BAR, round_=8)
    pen.box(second + 34, TOP + 258, 180, 16, BAR, round_=8)
    row(pen, second, TOP + 322, say("Чеки по заказу", "Receipts"), press=True)
    row(pen, second, TOP + 402)
    row(pen, second, TOP + 482)
    step(pen, 2, second, say("Нажмите", "Press"), say("«Чеки по заказу»", "Receipts"))
    receipt(pen, third, say("Чек", "Receipt"))
    step(
        pen,
        3,
        third,
        say("Сделайте скриншот", "Take a screenshot"),
        say("с QR-кодом", "with the QR code"),
    )


def goldapple(pen: Pen, say: Callable[..., str]) -> None:
    first, second, third = COLUMNS
    phone(pen, first, say("Почта", "Mail"))
    for place in range(5):
        top, press = TOP + 112 + place * 98, place == 1
        fill, line = (TINT, ACCENT) if press else (PALE, None)
        pen.box(first + 18, top, PHONE_WIDTH - 36, 84, fill, round_=16, line=line, thick=4)
        pen.disc(first + 58, top + 42, 22, ACCENT if press else BAR)
        if press:
            pen.write(
                first + 96,
                top + 30,
                say("Ваш чек", "Your receipt"),
                26,
                fill=ACCENT,
                bold=True,
                anchor="lm",
                wide=190,
            )
        else:
            pen.box(first + 96, top + 22, 130, 16, BAR, round_=8)
        pen.box(first + 96, top + 52, 170, 14, BAR, round_=7)
    step(
        pen,
        1,
        first,
        say("Найдите письмо", "Find the e-mail"),
        say("или СМС с чеком", "or the SMS"),
    )
    phone(pen, second, say("Ваш чек", "Your receipt"))
    bars(pen, second, TOP + 118, 240, 200, 220, 150)
    pen.box(second + 18, TOP + 270, PHONE_WIDTH - 36, 76, TINT, round_=18, line=ACCENT, thick=4)
    pen.write(
        second + PHONE_WIDTH / 2,
        TOP + 308,
        say("Открыть чек", "Open the receipt"),
        28,
        fill=ACCENT,
        bold=True,
        anchor="mm",
        wide=250,
    )
    bars(pen, second, TOP + 384, 220, 170, 200)
    step(pen, 2, second, say("Откройте чек", "Open it"), say("по ссылке", "by the link"))
    receipt(pen, third, say("Чек", "Receipt"))
    step(
        pen,
        3,
        third,
        say("Сделайте скриншот", "Take a screenshot"),
        say("с QR-кодом", "with the QR code"),
    )


def _table(pen: Pen, x: int) -> None:
    pen.box(x - 10, TOP - 10, PHONE_WIDTH + 20, PHONE_HEIGHT + 20, "#dde2e9", round_=36)


def paper(pen: Pen, say: Callable[..., str]) -> None:
    first, second, third = COLUMNS
    _table(pen, first)
    slip(pen, first + 58, TOP + 40, 200, 530)
    slip_lines(pen, first + 78, TOP + 76, 160, 9)
    code(pen, first + 108, TOP + 420, 100)
    step(
        pen,
        1,
        first,
        say("Разгладьте чек", "Smooth it out"),
        say("на ровном месте", "on something flat"),
    )
    _table(pen, second)
    slip(pen, second + 38, TOP + 30, 240, 540)
    slip_lines(pen, second + 62, TOP + 66, 192, 8)
    framed_code(pen, second + 82, TOP + 370, 152)
    step(
        pen,
        2,
        second,
        say("Найдите QR-код,", "Find the QR code,"),
        say("обычно он внизу", "usually at the bottom"),
    )
    phone(pen, third)
    pen.box(third + 14, TOP + 44, PHONE_WIDTH - 28, 450, "#dde2e9", round_=12)
    slip(pen, third + 44, TOP + 66, 228, 402)
    slip_lines(pen, third + 64, TOP + 88, 188, 3)
    framed_code(pen, third + 68, TOP + 226, 180)
    pen.disc(third + PHONE_WIDTH / 2, TOP + 552, 36, PAPER, line=INK, thick=6)
    pen.disc(third + PHONE_WIDTH / 2, TOP + 552, 24, ACCENT)
    step(
        pen,
        3,
        third,
        say("Снимите код крупно", "Take it large,"),
        say("и пришлите фото", "send the photo"),
    )


def which(pen: Pen, say: Callable[..., str]) -> None:
    """What is looked for: the code, on paper or on a screen."""
    left, right = 180, 704
    _table(pen, left)
    slip(pen, left + 38, TOP + 30, 240, 540)
    slip_lines(pen, left + 62, TOP + 66, 192, 8)
    framed_code(pen, left + 82, TOP + 370, 152)
    receipt(pen, right, say("Чек", "Receipt"))
    middle, y = PHONE_WIDTH / 2, TOP + PHONE_HEIGHT + 64
    pen.write(left + middle, y, say("Бумажный чек", "On paper"), 40, bold=True, anchor="mm")
    pen.write(right + middle, y, say("Электронный чек", "Electronic"), 40, bold=True, anchor="mm")
    said = say("Нужен QR-код с чека", "Look for the QR code")
    pen.write(WIDTH / 2, y + 92, said, 48, fill=ACCENT, bold=True, anchor="mm")


PICTURES = {
    "help": which,
    "help_wildberries": wildberries,
    "help_ozon": ozon,
    "help_market": market,
    "help_goldapple": goldapple,
    "help_paper": paper,
}


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for name, drawn in PICTURES.items():
        for place, locale in enumerate(("ru", "en")):
            pen = Pen()
            drawn(pen, lambda *words, place=place: words[place])
            pen.save(f"{name}.{locale}")


if __name__ == "__main__":
    main()
