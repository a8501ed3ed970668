"""The console as the brand's people use it: on a desk and on a phone, in both languages."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from browser.phone import DESKTOP, WIDER
from vezde.testing.installation import Installation

NARROW = (360, 740)


class Desk:
    """The console in a window; complaints of the browser fail at the end."""

    def __init__(self, page: Page, shots: Path, name: str, sandbox: Installation) -> None:
        self.page = page
        self.complaints: list[str] = []
        self._shots = shots
        self._name = name
        self._sandbox = sandbox
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def button(self, name: str | re.Pattern[str]) -> Locator:
        return self.page.get_by_role("button", name=name)

    async def enter(self, who: str = "Администратор") -> None:
        link = self._sandbox.command("operators", "invite", who).split()[0]
        await self.page.goto(link)
        await expect(self.page.locator("h1")).to_be_visible()
        assert "enter" not in self.page.url

    async def go(self, path: str) -> None:
        await self.page.goto(f"http://127.0.0.1:{self._sandbox.port}/console#{path}")

    async def is_sound(self, moment: str) -> None:
        """Nothing is wider than the window, in both schemes; pictures are left of it."""
        for scheme in ("light", "dark"):
            await self.page.emulate_media(color_scheme=scheme)
            root = self.page.locator("html")
            await expect(root).to_have_attribute("data-mantine-color-scheme", scheme)
            assert await self.page.evaluate(WIDER) == [], (moment, scheme)
            shot = self._shots / f"{self._name}-{moment}-{scheme}.png"
            await self.page.screenshot(path=shot, full_page=True)

    def _heard(self, message) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(f"{message.text} {message.location.get('url')}")


@asynccontextmanager
async def opened(
    browser: Browser, sandbox: Installation, shots: Path, size=DESKTOP, locale: str = "ru"
) -> AsyncIterator[Desk]:
    context = await browser.new_context(viewport={"width": size[0], "height": size[1]})
    await context.add_init_script(f"localStorage['vezde.locale'] ??= '{locale}'")
    desk = Desk(await context.new_page(), shots, f"console-{size[0]}-{locale}", sandbox)
    try:
        yield desk
        assert desk.complaints == []
    except BaseException:
        await desk.page.screenshot(path=shots / "failed-console.png", full_page=True)
        raise
    finally:
        await context.close()


@pytest.fixture
def shots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.getbasetemp() / "shots"
    folder.mkdir(exist_ok=True)
    return folder


class TestSigningIn:
    async def test_a_link_opens_the_console_and_goes_out_of_the_address(
        self, browser: Browser, sandbox: Installation, shots: Path
    ) -> None:
        async with opened(browser, sandbox, shots, NARROW) as desk:
            await desk.enter()
            await desk.page.reload()
            await expect(desk.page.locator("h1")).to_be_visible()
            await desk.button("Меню").click()
            await desk.button("Выйти").last.click()
            await expect(desk.page.get_by_label("Одноразовый код")).to_be_visible()
            await desk.is_sound("sign-in")

    async def test_a_used_link_says_what_to_do(
        self, browser: Browser, sandbox: Installation, shots: Path
    ) -> None:
        async with opened(browser, sandbox, shots) as desk:
            await desk.go("enter=" + "x" * 43)
            await expect(desk.page.get_by_role("alert")).to_contain_text("Попросите новую")
            desk.complaints.clear()  # the browser itself tells of a 422


class TestPeople:
    @pytest.mark.parametrize(("size", "locale"), [(DESKTOP, "ru"), (NARROW, "en")])
    async def test_are_invited_and_what_was_done_is_in_the_journal(
        self, browser: Browser, sandbox: Installation, shots: Path, size, locale: str
    ) -> None:
        words = {
            "ru": ("Добавить сотрудника", "Имя", "Ссылка для входа: Инна", "Новый сотрудник"),
            "en": ("Add somebody", "Name", "Sign-in link: Инна en", "Somebody new"),
        }[locale]
        name = "Инна" if locale == "ru" else "Инна en"
        async with opened(browser, sandbox, shots, size, locale) as desk:
            await desk.enter()
            await desk.go("/people")
            await desk.button(words[0]).click()
            await desk.page.get_by_label(words[1]).fill(name)
            await desk.page.get_by_role("dialog").get_by_role("button", name=words[0]).click()
            dialog = desk.page.get_by_role("dialog", name=words[2])
            await expect(dialog).to_contain_text("/console#enter=")
            await desk.page.keyboard.press("Escape")
            await expect(desk.page.locator("li", has_text=name).first).to_be_visible()
            await desk.is_sound("people")
            await desk.go("/journal")
            await expect(desk.page.locator("li", has_text=words[3]).first).to_be_visible()
            await desk.is_sound("journal")
