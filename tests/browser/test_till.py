"""The till in more than one cashier's hands: camera, codes read out, a change of mind, English."""

import io
from pathlib import Path

import pytest
from PIL import Image
from playwright.async_api import Browser, async_playwright, expect

from browser import camera, chromium
from browser.phone import DESKTOP, Phone, opened
from browser.test_shop import (
    NARROW,
    SECONDS,
    Window,
    beside,
    card_of,
    code_of,
    is_a_member_with_points,
    signs_in,
)
from vezde.testing.installation import Installation

pytestmark = pytest.mark.parametrize("size", [NARROW, DESKTOP], ids=["phone", "desktop"])


class TestTill:
    async def test_reads_a_card_by_the_camera(
        self, browser: Browser, sandbox: Installation, tmp_path: Path, size
    ) -> None:
        async with opened(browser, sandbox, tmp_path, size=DESKTOP, scheme="light") as phone:
            await is_a_member_with_points(phone)
            await phone.say("/card")
            await phone.sees("Покажите код на кассе")
            picture = phone.said().locator("img")
            await expect(picture).to_be_visible()
            card = Image.open(io.BytesIO(await picture.screenshot()))
            camera.film(card, tmp_path / "card.y4m")
            async with async_playwright() as playwright:
                seeing = await playwright.chromium.launch(
                    executable_path=str(chromium.find()),
                    args=[*chromium.FLAGS, *camera.flags(tmp_path / "card.y4m")],
                )
                async with beside(
                    phone, seeing, sandbox, tmp_path, "/till", size, name="camera"
                ) as till:
                    await cashier_signs_in(till, sandbox, f"Камера {size[0]}")
                    await till.button("Навести камеру на карту").click()
                    await expect(till.page.locator("video")).to_be_visible()
                    await till.is_sound("looking")
                    await expect(till.page.get_by_text("78 баллов").first).to_be_visible(
                        timeout=SECONDS
                    )
                await seeing.close()

    async def test_takes_the_code_that_the_member_reads_out(
        self, browser: Browser, sandbox: Installation, tmp_path: Path, size
    ) -> None:
        async with opened(browser, sandbox, tmp_path, size=DESKTOP, scheme="light") as phone:
            await is_a_member_with_points(phone)
            async with beside(
                phone, browser, sandbox, tmp_path, "/till", size, name="code"
            ) as till:
                await cashier_signs_in(till, sandbox, f"Вслух {size[0]}")
                await finds(phone, till, "Телефон или код с карты", "Найти")
                await till.page.get_by_label("Сумма чека").fill("500")
                await till.page.get_by_label("Списать баллов").fill("40")
                await till.button("Списать 40 баллов").click()
                await expect(till.page.get_by_text("Ждём покупателя")).to_be_visible()
                field = till.page.get_by_label("Код покупателя")
                await field.fill("000000")
                await till.button("Подтвердить").click()
                await expect(till.page.get_by_text("Код не подошёл")).to_be_visible()
                till.complaints.clear()  # the browser itself tells of a 422
                await field.fill(await code_in(phone))
                await till.button("Подтвердить").click()
                await expect(till.page.get_by_text("Баллы списаны")).to_be_visible()
                await till.is_sound("by-code")

    async def test_takes_a_payment_back(
        self, browser: Browser, sandbox: Installation, tmp_path: Path, size
    ) -> None:
        async with opened(browser, sandbox, tmp_path, size=DESKTOP, scheme="light") as phone:
            await is_a_member_with_points(phone)
            async with beside(
                phone, browser, sandbox, tmp_path, "/till", size, name="cancel"
            ) as till:
                await cashier_signs_in(till, sandbox, f"Передумал {size[0]}")
                await finds(phone, till, "Телефон или код с карты", "Найти")
                await till.page.get_by_label("Сумма чека").fill("500")
                await till.page.get_by_label("Списать баллов").fill("78")
                await till.button("Списать 78 баллов").click()
                await expect(till.page.get_by_text("Ждём покупателя")).to_be_visible()
                await till.button("Отменить").click()
                await expect(till.page.get_by_text("Баллы остались у покупателя")).to_be_visible()
                await till.is_sound("cancelled")
                await till.button("Ещё раз").click()
                await expect(till.page.get_by_text("78 баллов").first).to_be_visible()
                await till.page.get_by_label("Сумма чека").fill("100")
                await till.button("Списать 78 баллов").click()
                asked = phone.page.locator(".message.theirs", has_text="Списать 78 баллов")
                await expect(asked).to_have_count(2)
                await phone.press("Списать")
                await expect(till.page.get_by_text("Баллы списаны")).to_be_visible()

    async def test_sends_a_cashier_their_code(
        self, browser: Browser, sandbox: Installation, tmp_path: Path, size
    ) -> None:
        async with opened(browser, sandbox, tmp_path, size=DESKTOP, scheme="light") as phone:
            number = f"7900000{size[0]:04}"
            take_on(sandbox, f"По телефону {size[0]}", phone=f"+{number}")
            async with beside(
                phone, browser, sandbox, tmp_path, "/till", size, name="by-phone"
            ) as till:
                await expect(till.page.get_by_text("Код кассира")).to_be_visible()
                till.complaints.clear()  # nobody is signed in: 401, and the browser tells
                await till.page.get_by_label("Код кассира").fill("00000000")
                await till.button("Войти").click()
                await expect(till.page.get_by_text("Код не подошёл или устарел")).to_be_visible()
                till.complaints.clear()  # the browser itself tells of a 422
                await till.page.get_by_text("Нет кода?").click()
                await till.page.get_by_label("Ваш телефон").fill(f"+{number}")
                await till.button("Прислать код").click()
                await expect(till.page.get_by_text("код уже пришёл")).to_be_visible()
                await till.is_sound("asked")
                await till.page.get_by_label("Код кассира").fill(
                    code_of(sandbox, number, r"\b(\d{4}) ?(\d{4})\b")
                )
                await till.button("Войти").click()
                await expect(till.page.get_by_text("По телефону")).to_be_visible()

    async def test_speaks_english(
        self, browser: Browser, sandbox: Installation, tmp_path: Path, size
    ) -> None:
        async with opened(browser, sandbox, tmp_path, size=DESKTOP, scheme="light") as phone:
            await is_a_member_with_points(phone)
            async with beside(
                phone, browser, sandbox, tmp_path, "/till", size, locale="en", name="english"
            ) as till:
                await cashier_signs_in(
                    till, sandbox, f"Jane {size[0]}", "Cashier's code", "Sign in"
                )
                await till.is_sound("find")
                await finds(phone, till, "Phone, or the code of the card", "Find")
                await till.page.get_by_label("Sum").fill("500")
                await till.page.get_by_label("Points to spend").fill("40")
                await till.is_sound("sum")
                await till.button("Take 40 points").click()
                await expect(till.page.get_by_text("Waiting for the customer")).to_be_visible()
                await till.is_sound("waiting")
                await phone.press("Списать")
                await expect(till.page.get_by_text("Points taken")).to_be_visible()
                await till.is_sound("paid")


class TestAdjusting:
    async def test_takes_two_operators(
        self, browser: Browser, sandbox: Installation, tmp_path: Path, size
    ) -> None:
        async with opened(browser, sandbox, tmp_path, size=DESKTOP, scheme="light") as phone:
            await is_a_member_with_points(phone)
            async with beside(
                phone, browser, sandbox, tmp_path, "/till", size, name="adjust"
            ) as till:
                await cashier_signs_in(till, sandbox, f"Вера {size[0]}", role="operator")
                await finds(phone, till, "Телефон или код с карты", "Найти")
                await till.page.get_by_text("Начислить или снять вручную").click()
                await self.adjusts(till, "−8", "Ошиблись чеком")
                await expect(till.page.get_by_text("Готово.")).to_be_visible()
                await expect(till.page.get_by_text("70 баллов").first).to_be_visible()
                await self.adjusts(till, "5000", "Разбили флакон, извиняемся")
                await expect(till.page.get_by_text("ждёт согласия")).to_be_visible()
                await till.is_sound("asked")
                await till.button("Другой покупатель").click()
                await till.button("Согласиться").click()
                await expect(till.page.get_by_text("утверждает кто-то другой")).to_be_visible()
                till.complaints.clear()  # the browser itself tells of a 422
                await till.is_sound("own")
                await till.button("Закончить смену").click()
                await cashier_signs_in(till, sandbox, f"Игорь {size[0]}", role="operator")
                await expect(till.page.get_by_text("Разбили флакон")).to_be_visible()
                await till.is_sound("waiting")
                await till.button("Согласиться").click()
                await expect(till.page.get_by_text("Разбили флакон")).to_have_count(0)
                await finds(phone, till, "Телефон или код с карты", "Найти")
                await expect(till.page.get_by_text("5 070 баллов").first).to_be_visible()

    async def adjusts(self, till: Window, points: str, reason: str) -> None:
        await till.page.get_by_label("Сколько баллов").fill(points)
        await till.page.get_by_label("Почему").fill(reason)
        await till.button("Провести").click()


class TestWidget:
    async def test_speaks_english(
        self, browser: Browser, sandbox: Installation, tmp_path: Path, size
    ) -> None:
        async with opened(browser, sandbox, tmp_path, size=DESKTOP, scheme="light") as phone:
            await is_a_member_with_points(phone)
            async with beside(
                phone, browser, sandbox, tmp_path, "/shop", size, name="widget-english"
            ) as shop:
                await signs_in(phone, shop)
                widget = shop.page.locator("vezde-widget")
                await widget.evaluate("one => one.setAttribute('locale', 'en')")
                await expect(shop.page.get_by_text("78 points").first).to_be_visible()
                await shop.button("В корзину: Крем дневной").click()
                slider = shop.page.get_by_role("slider", name="Spend points")
                await expect(slider).to_be_visible()
                await shop.is_sound("spending")
                await shop.button("Sign out").click()
                await expect(shop.button("Sign in with Telegram")).to_be_visible()
                await shop.is_sound("guest")


def take_on(sandbox: Installation, name: str, role: str = "cashier", **more: str) -> str:
    """Somebody new at the till; their code."""
    key = (sandbox.folder / "api.key").read_text().strip()
    body = {"name": name, "role": role, **more}
    made = sandbox.call("POST", "/v1/operators", body, Authorization=f"Bearer {key}")
    return str(made["code"])


async def cashier_signs_in(
    till: Window,
    sandbox: Installation,
    name: str,
    label: str = "Код кассира",
    button: str = "Войти",
    role: str = "cashier",
) -> None:
    await expect(till.page.get_by_text(label, exact=True)).to_be_visible()
    till.complaints.clear()  # nobody is signed in: 401, and the browser tells
    await till.page.get_by_label(label).fill(take_on(sandbox, name, role))
    await till.button(button).click()
    await expect(till.page.get_by_text(name)).to_be_visible()


async def finds(phone: Phone, till: Window, label: str, button: str) -> None:
    cards = phone.page.locator(".message.theirs", has_text="Покажите код на кассе")
    before = await cards.count()
    await phone.say("/card")
    await expect(cards).to_have_count(before + 1)
    await till.page.get_by_label(label).fill(await card_of(phone))
    await till.button(button).click()


async def code_in(phone: Phone) -> str:
    """The six digits that the bot tells the member to read out."""
    await phone.sees("Списать 40 баллов")
    words = await phone.said().inner_text()
    return "".join(one for one in words.split("код")[-1] if one.isdigit())[:6]
