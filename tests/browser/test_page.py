"""What the page itself does: links, photos, people, languages, keys, servers that die."""

import os
import re
import signal
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from browser.phone import DESKTOP, PHONE, Phone, opened
from vezde.testing.installation import Installation

HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture
async def phone(browser: Browser, sandbox: Installation, tmp_path: Path):
    async with opened(browser, sandbox, tmp_path, size=DESKTOP, scheme="light") as page:
        yield page


async def agreed(
    phone: Phone, words: tuple[str, ...] = ("Старт", "Дальше", "Даю согласие")
) -> None:
    for name in words:
        await phone.press(name)
    await expect(phone.said()).to_contain_text("QR")


class TestLink:
    async def test_leads_to_a_start_that_is_remembered(
        self, browser: Browser, sandbox: Installation, tmp_path: Path
    ) -> None:
        sandbox.key = (sandbox.folder / "api.key").read_text().strip()
        async with opened(browser, sandbox, tmp_path, size=PHONE, scheme="light") as phone:
            link = sandbox.call(
                "POST", "/v1/links", {"source": "blogger-17"}, Idempotency_Key=os.urandom(8).hex()
            )
            await phone.page.goto(link["url"])
            await expect(phone.page).to_have_url(re.compile(rf"/playground\?start={link['code']}$"))
            await phone.is_sound("link")
            await agreed(phone, ("Старт по ссылке", "Дальше", "Даю согласие"))
            await expect(phone.page).to_have_url(re.compile("/playground$"))
            await phone.tab("Бренд")
            await expect(phone.page.get_by_text("Пришёл по ссылке: blogger-17")).to_be_visible()


class TestPhotos:
    async def test_of_ones_own_are_read(self, phone: Phone, sandbox: Installation) -> None:
        await agreed(phone)
        samples = sandbox.folder / "samples"
        await phone.page.get_by_role("button", name="Прикрепить").click()
        await phone.page.get_by_test_id("photos").set_input_files(samples / "photo.png")
        await phone.sees_somewhere("+24 балла")
        await phone.page.get_by_role("button", name="Прикрепить").click()
        both = [samples / "photo-blurred.png", samples / "photo-sbp.png"]
        await phone.page.get_by_test_id("photos").set_input_files(both)
        await phone.sees_somewhere("чеков: 2")
        await expect(phone.page.locator(".photos.of-2 img")).to_have_count(2)
        await phone.is_sound("album")

    async def test_are_dragged_into_the_phone(self, phone: Phone) -> None:
        await agreed(phone)
        await phone.page.locator("[data-card=chain]").drag_to(phone.page.locator(".messenger"))
        await phone.sees_somewhere("+78 баллов")


class TestPeople:
    async def test_are_told_of_what_they_missed(self, phone: Phone) -> None:
        await phone.become("Борис")
        await agreed(phone)
        await phone.show("advance")
        await phone.sees("Это чек предоплаты")
        await phone.become("Анна")
        await phone.jump("+3 дня")
        boris = phone.page.get_by_role("button", name="Борис")
        await expect(boris).to_contain_text("1 новое сообщение")
        await phone.become("Борис")
        await phone.sees("Уже забрали заказ?")
        await expect(boris).not_to_contain_text("новое")

    async def test_of_any_name_are_only_text(self, phone: Phone) -> None:
        await phone.page.get_by_role("button", name="Новый человек").click()
        await phone.page.get_by_label("Как зовут?").fill(HOSTILE)
        await phone.is_sound("new-person")
        await phone.page.get_by_role("button", name="Добавить").click()
        await expect(phone.page.locator(".person[aria-pressed=true]")).to_contain_text(HOSTILE)
        await agreed(phone)
        await phone.say(f"{HOSTILE} https://lunaria.example/a_b?c=<d>")
        mine = phone.page.locator(".message.mine").last
        await expect(mine).to_contain_text(HOSTILE)
        await expect(mine.locator("a")).to_have_attribute("rel", "noreferrer noopener")


class TestLanguage:
    async def test_is_english_by_a_switch(self, phone: Phone) -> None:
        await phone.page.get_by_role("button", name="English").click()
        await expect(phone.page.locator("html")).to_have_attribute("lang", "en")
        await agreed(phone, ("Start", "Next", "I agree"))
        await phone.page.locator("[data-card=wildberries]").click()
        await phone.sees_somewhere("+83 points")
        await phone.is_sound("english")
        await phone.page.reload()
        await expect(phone.page.locator(".person[aria-pressed=true]")).to_contain_text("Alice")
        await phone.page.get_by_role("button", name="Русский").click()
        await expect(phone.page.locator(".person[aria-pressed=true]")).to_contain_text("Анна")


class TestTheme:
    async def test_is_the_systems_until_one_is_chosen(self, phone: Phone) -> None:
        page, html = phone.page, phone.page.locator("html")
        await page.emulate_media(color_scheme="dark")
        await expect(html).to_have_attribute("data-theme", "dark")
        await page.get_by_role("button", name="Светлая тема").click()
        await expect(html).to_have_attribute("data-theme", "light")
        await page.reload()
        await expect(html).to_have_attribute("data-theme", "light")


class TestKeys:
    async def test_are_enough(self, phone: Phone) -> None:
        page = phone.page
        for name in ("Старт", "Дальше", "Даю согласие"):
            button = page.locator(".screen").get_by_role("button", name=name).last
            await button.focus()
            outline = await button.evaluate("one => getComputedStyle(one).outlineStyle")
            await page.keyboard.press("Enter")
            assert outline != "none" or name == "Старт", name
        await phone.sees("пришлите фото чека")
        await page.locator("[data-card=wildberries]").focus()
        await page.keyboard.press("Enter")
        await phone.sees_somewhere("+83 балла")
        await page.get_by_role("button", name="Команды").focus()
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("button", name="/balance")).to_be_visible()
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("button", name="/balance")).to_have_count(0)


class TestServer:
    async def test_may_die_and_the_chat_goes_on(self, phone: Phone, sandbox: Installation) -> None:
        await agreed(phone)
        for role in ("web", "worker"):
            (pid,) = [pid for pid, command in sandbox.processes() if f"--role {role}" in command]
            os.kill(pid, signal.SIGKILL)
        await expect(phone.page.locator(".who")).to_contain_text("Соединяемся…")
        await expect(phone.page.locator(".who")).to_contain_text("бот", timeout=30_000)
        await phone.sees("пришлите фото чека")
        await phone.show("wildberries")
        await phone.sees_somewhere("+83 балла")
        phone.complaints.clear()  # the browser's own, of a server that was away

    async def test_forgets_everything_when_asked_to(self, phone: Phone) -> None:
        await agreed(phone)
        await phone.page.get_by_role("button", name="Начать заново").click()
        await phone.page.get_by_role("button", name="Стереть и начать").click()
        await expect(phone.page.get_by_text("Здесь пока ничего нет")).to_be_visible()
        await agreed(phone)
