"""Paying with points where shops and cashiers do it: the widget in a page, the till on a phone."""

import json
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from browser.phone import DESKTOP, WIDER, Phone, opened
from vezde.testing.installation import Installation

NARROW = (320, 640)
OTHER = {"light": "dark", "dark": "light"}
SECONDS = 20_000


class Window:
    """A page beside the phone; complaints of its console fail at the end."""

    def __init__(self, page: Page, shots: Path, name: str) -> None:
        self.page = page
        self.complaints: list[str] = []
        self._shots = shots
        self._name = name
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name)

    async def is_sound(self, moment: str) -> None:
        for scheme in ("light", "dark"):
            await self.page.emulate_media(color_scheme=scheme)
            await expect(self.page.locator("html")).to_have_attribute("data-theme", scheme)
            assert await self.page.evaluate(WIDER) == [], (moment, scheme)
            assert await self.page.evaluate(WIDER_WIDGET) == [], (moment, scheme)
            shot = self._shots / f"{self._name}-{moment}-{scheme}.png"
            await self.page.screenshot(path=shot, full_page=True)

    def _heard(self, message) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(f"{message.text} {message.location.get('url')}")


WIDER_WIDGET = """() => {
  const root = document.querySelector("vezde-widget")?.shadowRoot;
  const right = document.querySelector("vezde-widget")?.getBoundingClientRect().right + 1;
  return [...(root?.querySelectorAll("*") ?? [])]
    .filter((one) => one.getBoundingClientRect().right > right)
    .map((one) => `${one.tagName}.${one.className}`);
}"""


@asynccontextmanager
async def beside(
    phone: Phone,
    browser: Browser,
    sandbox: Installation,
    shots: Path,
    path: str,
    size,
    *,
    locale: str = "ru",
    name: str | None = None,
) -> AsyncIterator[Window]:
    context = await browser.new_context(
        viewport={"width": size[0], "height": size[1]}, permissions=["camera"]
    )
    await context.add_init_script(f'localStorage.setItem("vezde.locale", "{locale}")')
    window = Window(await context.new_page(), shots, f"{name or path.strip('/')}-{size[0]}")
    try:
        await window.page.goto(f"http://127.0.0.1:{sandbox.port}{path}")
        yield window
        assert window.complaints == []
    except BaseException:
        await window.page.screenshot(path=shots / "failed-window.png", full_page=True)
        raise
    finally:
        await context.close()


async def is_a_member_with_points(phone: Phone) -> None:
    """Anna, with 78 points to spend."""
    await phone.press("Старт")
    await phone.press("Дальше")
    await phone.press("Даю согласие")
    await phone.sees("пришлите фото чека")
    await phone.show("chain")
    await phone.sees_somewhere("+78 баллов — уже на счёте")


async def signs_in(phone: Phone, window: Window) -> None:
    await window.button("Войти через Telegram").click()
    link = window.page.get_by_role("link", name="Открыть бот")
    await expect(link).to_be_visible()
    number = await window.page.locator("vezde-widget .number").inner_text()
    await window.is_sound("link")
    href = await link.get_attribute("href")
    await phone.page.goto(href)
    await phone.press("Старт")
    await phone.sees(number, "Войти на сайт")
    await phone.press("Войти на 127.0.0.1")
    await expect(window.page.get_by_text("На счёте", exact=True)).to_be_visible(timeout=SECONDS)


@pytest.mark.parametrize("size", [NARROW, DESKTOP], ids=["phone", "desktop"])
class TestShop:
    async def test_takes_points_and_gives_them_back(
        self, browser: Browser, sandbox: Installation, tmp_path: Path, size
    ) -> None:
        async with opened(browser, sandbox, tmp_path, size=DESKTOP, scheme="light") as phone:
            await is_a_member_with_points(phone)
            async with beside(phone, browser, sandbox, tmp_path, "/shop", size) as shop:
                await expect(shop.button("Войти через Telegram")).to_be_visible()
                await shop.is_sound("guest")
                await signs_in(phone, shop)
                await self.buys(shop)
                await self.returns(shop)

    async def test_earns_when_no_points_are_spent(
        self, browser: Browser, sandbox: Installation, tmp_path: Path, size
    ) -> None:
        async with opened(browser, sandbox, tmp_path, size=DESKTOP, scheme="light") as phone:
            await is_a_member_with_points(phone)
            async with beside(phone, browser, sandbox, tmp_path, "/shop", size) as shop:
                await signs_in(phone, shop)
                await shop.button("В корзину: Крем дневной").click()
                slider = shop.page.get_by_role("slider", name="Списать баллы")
                await expect(slider).to_have_value("0", timeout=SECONDS)
                await shop.button("Оформить за 1 190 ₽").click()
                await shop.button("Оплатить понарошку").click()
                earned = shop.page.get_by_text("За заказ начислено баллов: 119")
                await expect(earned).to_be_visible()
                await shop.is_sound("earned")
                await shop.button("Вернуть заказ").click()
                await expect(shop.page.get_by_text("Заказ вернули")).to_be_visible()
                await shop.button("Новый заказ").click()
                await expect(shop.page.get_by_text("78 баллов").first).to_be_visible()

    async def buys(self, shop: Window) -> None:
        await shop.button("В корзину: Крем дневной").click()
        slider = shop.page.get_by_role("slider", name="Списать баллы")
        await expect(slider).to_be_visible(timeout=SECONDS)
        await expect(shop.button("Оформить за 1 190 ₽")).to_be_enabled()
        await shop.button("Списать всё").click()
        await expect(shop.button("Оформить за 1 112 ₽")).to_be_enabled()
        await expect(slider).to_have_value("78")
        await slider.press("ArrowLeft")
        await expect(shop.button("Оформить за 1 113 ₽")).to_be_enabled()
        await slider.press("End")
        await expect(slider).to_have_attribute("aria-valuetext", "78 баллов")
        await shop.is_sound("spending")
        await shop.button("Оформить за 1 112 ₽").click()
        await expect(shop.page.get_by_text("Осталось оплатить")).to_be_visible()
        await shop.button("Оплатить понарошку").click()
        await expect(shop.page.get_by_text("Заказ оплачен")).to_be_visible()
        await expect(shop.page.get_by_text("За заказ начислено баллов: 111")).to_be_visible()
        await shop.is_sound("paid")

    async def returns(self, shop: Window) -> None:
        await shop.button("Вернуть заказ").click()
        back = "Вернули 1 112 ₽ и баллов: 78; начисленные сняты: 111"
        await expect(shop.page.get_by_text(back)).to_be_visible()
        await shop.button("Новый заказ").click()
        await expect(shop.page.get_by_text("78 баллов").first).to_be_visible(timeout=SECONDS)
        await shop.button("Выйти").click()
        await expect(shop.button("Войти через Telegram")).to_be_visible()


class TestWidget:
    async def test_lets_in_by_phone_and_asks_for_consent(
        self, browser: Browser, sandbox: Installation, tmp_path: Path
    ) -> None:
        async with (
            opened(browser, sandbox, tmp_path, size=DESKTOP, scheme="light") as phone,
            beside(phone, browser, sandbox, tmp_path, "/shop", NARROW) as shop,
        ):
            field = shop.page.get_by_label("Телефон")
            await field.fill("12")
            await shop.button("Получить код").click()
            await expect(shop.page.get_by_text("Проверьте номер")).to_be_visible()
            shop.complaints.clear()  # the browser itself tells of a 400
            await field.fill("+7 900 000-00-77")
            await shop.button("Получить код").click()
            code = shop.page.get_by_label("Код из сообщения")
            await expect(code).to_be_focused()
            await shop.is_sound("code")
            await code.fill(code_of(sandbox, "79000000077"))
            await expect(shop.page.get_by_text("Ещё один шаг")).to_be_visible()
            shop.complaints.clear()  # the browser itself tells of a 409
            await shop.is_sound("consent")
            await shop.page.get_by_label("Я согласен").check()
            await shop.button("Вступить").click()
            await expect(shop.page.get_by_text("Здравствуйте!")).to_be_visible()
            await shop.page.reload()
            await expect(shop.page.get_by_text("Здравствуйте!")).to_be_visible()


async def card_of(phone: Phone) -> str:
    """The nine digits under the card's picture."""
    found = re.search(r"\d{3} \d{3} \d{3}", await phone.said().inner_text())
    assert found, "the card shows no digits"
    return found[0]


def code_of(sandbox: Installation, phone: str, digits: str = r"\b(\d{3}) ?(\d{3})\b") -> str:
    """The code in the newest SMS of the sandbox to this phone."""
    for _ in range(100):
        sent = json.loads(sandbox.request("GET", f"/playground/sms/sent?phone={phone}")[1])
        texts = [one["text"] for one in sent["items"]]
        if texts and (found := re.search(digits, texts[0])):
            return found[1] + found[2]
        time.sleep(0.1)
    raise AssertionError(f"no SMS: {sent}")


@pytest.mark.parametrize("size", [NARROW, DESKTOP], ids=["phone", "desktop"])
class TestTill:
    async def test_takes_points_that_the_member_confirms(
        self, browser: Browser, sandbox: Installation, tmp_path: Path, size
    ) -> None:
        async with opened(browser, sandbox, tmp_path, size=DESKTOP, scheme="light") as phone:
            await is_a_member_with_points(phone)
            async with beside(phone, browser, sandbox, tmp_path, "/till", size) as till:
                await self.signs_in(till, sandbox)
                await self.finds(phone, till)
                await self.is_paid(phone, till)
                await self.is_declined(phone, till)

    async def signs_in(self, till: Window, sandbox: Installation) -> None:
        key = (sandbox.folder / "api.key").read_text().strip()
        made = sandbox.call(
            "POST",
            "/v1/operators",
            {"name": f"Кассир Вера {till.page.viewport_size['width']}", "role": "cashier"},
            Authorization=f"Bearer {key}",
        )
        await expect(till.page.get_by_text("Код кассира")).to_be_visible()
        till.complaints.clear()  # nobody is signed in: 401, and the browser tells
        await till.is_sound("sign-in")
        await till.page.get_by_label("Код кассира").fill(made["code"])
        await till.button("Войти").click()
        await expect(till.page.get_by_text("Кассир Вера")).to_be_visible()
        await till.is_sound("find")

    async def finds(self, phone: Phone, till: Window) -> None:
        """A scanner types the card's digits and presses Enter."""
        await phone.say("/card")
        await phone.sees("Покажите код на кассе")
        code = await card_of(phone)
        field = till.page.get_by_label("Телефон или код с карты")
        await expect(field).to_be_focused()
        await field.press_sequentially(code.replace(" ", ""))
        await field.press("Enter")
        await expect(till.page.get_by_text("78 баллов").first).to_be_visible()
        await till.page.get_by_label("Сумма чека").fill("500,50")
        await expect(till.page.get_by_text("422,50 ₽")).to_be_visible()
        await till.is_sound("sum")
        await till.page.get_by_label("Списать баллов").fill("50")
        await expect(till.page.get_by_text("450,50 ₽")).to_be_visible()

    async def is_paid(self, phone: Phone, till: Window) -> None:
        await till.button("Списать 50 баллов").click()
        await expect(till.page.get_by_text("Ждём покупателя")).to_be_visible()
        await till.is_sound("waiting")
        await phone.sees("Списать 50 баллов", "Лунария")
        await phone.press("Списать")
        await expect(till.page.get_by_text("Баллы списаны")).to_be_visible(timeout=SECONDS)
        await till.is_sound("paid")

    async def is_declined(self, phone: Phone, till: Window) -> None:
        await till.button("Следующий покупатель").click()
        await phone.say("/card")
        await phone.sees("Покажите код на кассе")
        code = await card_of(phone)
        await till.page.get_by_label("Телефон или код с карты").fill(code)
        await till.button("Найти").click()
        await till.page.get_by_label("Сумма чека").fill("100")
        await till.button("Списать").last.click()
        await phone.sees("Списать")
        await phone.press("Нет")
        await expect(till.page.get_by_text("Покупатель отказался")).to_be_visible(timeout=SECONDS)
        await till.is_sound("declined")
        await till.button("Закончить смену").click()
        await expect(till.page.get_by_text("Код кассира")).to_be_visible()
