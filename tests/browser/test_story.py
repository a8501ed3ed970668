"""The whole story in a browser: from /start to points, every other answer, time, leaving."""

from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from browser.phone import DESKTOP, PHONE, Phone, opened
from vezde.testing.installation import Installation

WINDOWS = [
    pytest.param(PHONE, "dark", id="phone"),
    pytest.param(DESKTOP, "light", id="desktop"),
]


@pytest.mark.parametrize(("size", "scheme"), WINDOWS)
class TestStory:
    async def test_goes_from_a_greeting_to_points_and_home(
        self, browser: Browser, sandbox: Installation, tmp_path: Path, size, scheme
    ) -> None:
        async with opened(browser, sandbox, tmp_path, size=size, scheme=scheme) as phone:
            await begins(phone)
            await earns(phone)
            await gives_the_phone(phone)
            await asks(phone)
            await leaves(phone)

    async def test_has_an_answer_to_every_receipt(
        self, browser: Browser, sandbox: Installation, tmp_path: Path, size, scheme
    ) -> None:
        async with opened(browser, sandbox, tmp_path, size=size, scheme=scheme) as phone:
            await begins(phone)
            await earns(phone)
            await is_refused_kindly(phone)
            await waits_for_the_second_receipt(phone)
            await is_somebody_else(phone)


async def begins(phone: Phone) -> None:
    await expect(phone.page.get_by_text("Здесь пока ничего нет")).to_be_visible()
    await phone.is_sound("empty")
    await phone.press("Старт")
    await phone.sees("Лунария", "100 баллов = 100 ₽")
    await phone.press("Дальше")
    await phone.sees("согласие на обработку персональных данных")
    await phone.is_sound("consent")
    await phone.press("Даю согласие")
    await phone.sees("пришлите фото чека")


async def earns(phone: Phone) -> None:
    await phone.tab("Чеки")
    await expect(phone.page.locator(".card img")).to_have_count(12)
    await phone.is_sound("tray")
    await phone.show("wildberries")
    await phone.sees_somewhere("+83 балла")
    told = phone.page.locator(".message.theirs", has_text="+83 балла")
    for text in ("станут активны", "Сыворотка для лица", "Крем для рук", "Wildberries", "изменено"):
        await expect(told).to_contain_text(text)
    await phone.sees("Оставьте телефон")
    await phone.is_sound("points")


async def gives_the_phone(phone: Phone) -> None:
    await phone.page.get_by_role("button", name="Прикрепить").click()
    await phone.is_sound("attach")
    await phone.page.get_by_role("button", name="Контакт: Борис").click()
    await phone.sees("Это чужой контакт")
    await phone.press("Поделиться телефоном")
    await phone.page.get_by_role("button", name="Поделиться", exact=True).click()
    await phone.sees_somewhere("баллы закреплены за вами. На счёте: 83 балла")
    await phone.sees("Хотите узнавать")
    await phone.press("Нет, спасибо")
    await phone.sees("рассылок не будет")
    await expect(phone.page.get_by_role("button", name="Поделиться телефоном")).to_have_count(0)


async def asks(phone: Phone) -> None:
    await phone.say("/balance")
    await phone.sees("В ожидании 83 балла")
    await phone.page.get_by_role("button", name="Команды").click()
    await phone.page.get_by_role("button", name="/history").click()
    await phone.sees("История баллов", "+83 · Покупка: Wildberries")
    await phone.press("Почему столько")
    await phone.sees("5 %", "+67", "+16")
    await phone.say("/help")
    await phone.sees("Где найти чек")
    await phone.is_sound("help")
    await phone.press("Золотое Яблоко")
    await phone.sees("В магазине чек печатают на кассе")
    await phone.press("Назад")
    await phone.sees("Где вы покупали?")
    await phone.say("/settings")
    await phone.sees("Настройки")


async def leaves(phone: Phone) -> None:
    await phone.press("Выйти и стереть данные")
    await phone.sees("баллы сгорят: 83 балла")
    await phone.press("Остаюсь")
    await phone.sees("Рады, что вы с нами")
    await phone.say("/settings")
    await phone.press("Выйти и стереть данные")
    await phone.press("Да, стереть всё")
    await phone.sees("Через минуту сотрём")
    await phone.jump("До ближайшего события")
    await phone.tab("Бренд")
    await expect(phone.page.get_by_text("Этого человека бренд не знает")).to_be_visible()
    await phone.is_sound("left")


async def is_refused_kindly(phone: Phone) -> None:
    for card, words in (
        ("wildberries", "Этот чек вы уже показывали"),
        ("taken", "Этот чек уже показал другой участник"),
        ("not-ours", "товаров «Лунария» мы в нём не нашли"),
        ("blurred", "Снимок вышел смазанным"),
        ("not-fiscal", "Это код для оплаты по СБП"),
        ("return", "Это чек возврата"),
    ):
        await phone.show(card)
        await phone.sees(words)
        if card == "blurred":
            await phone.is_sound("blurred")


async def waits_for_the_second_receipt(phone: Phone) -> None:
    await phone.show("advance")
    await phone.sees("Это чек предоплаты", "Пришлите второй чек, когда заберёте заказ")
    await phone.tab("Время")
    await phone.is_sound("time")
    await phone.jump("+3 дня")
    await phone.sees("Вы показывали чек предоплаты", "Уже забрали заказ?")
    await phone.press("Ещё нет")
    await expect(phone.page.locator(".toast", has_text="напомним позже")).to_be_visible()
    await phone.show("settlement")
    await phone.sees("+45 баллов", "Шампунь", "Ozon")
    await phone.tab("Бренд")
    await expect(phone.page.locator(".figure").last).to_contain_text("128")
    await phone.is_sound("brand")
    await phone.jump("+14 дней")
    await phone.tab("Бренд")
    await expect(phone.page.locator(".figure").first).to_contain_text("128")


async def is_somebody_else(phone: Phone) -> None:
    await phone.become("Борис")
    await phone.press("Старт")
    await phone.press("Дальше")
    await phone.press("Даю согласие")
    await phone.sees("пришлите фото чека")
    await phone.show("wildberries")
    await phone.sees("Этот чек уже показал другой участник")
    await phone.show("chain")
    await phone.sees_somewhere("+78 баллов — уже на счёте")
    await phone.is_sound("boris")
