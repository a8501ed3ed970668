"""The playground as somebody uses it: taps, looks, and is never shown anything broken."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import Browser, Locator, Page, expect

from vezde.testing.installation import Installation

SECONDS = 20  # of patience on a busy machine; nothing waits longer than it must
expect.set_options(timeout=SECONDS * 1000)
PHONE, DESKTOP = (390, 844), (1280, 800)
OTHER = {"light": "dark", "dark": "light"}


class Phone:
    """One page; `shots` is where it leaves pictures of what it saw."""

    def __init__(self, page: Page, shots: Path, *, name: str, narrow: bool, scheme: str) -> None:
        self.page = page
        self.complaints: list[str] = []
        self._shots = shots
        self._name = name
        self._narrow = narrow
        self._scheme = scheme
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("response", self._answered)

    async def sees(self, *texts: str, seconds: float = SECONDS) -> None:
        """The bot's last words hold all of these."""
        for text in texts:
            await expect(self.said()).to_contain_text(text, timeout=seconds * 1000)

    async def sees_somewhere(self, text: str) -> None:
        found = self.page.locator(".message.theirs", has_text=text).last
        await expect(found).to_be_visible(timeout=SECONDS * 1000)

    def said(self) -> Locator:
        return self.page.locator(".message.theirs").last

    async def press(self, name: str) -> None:
        """A button under the newest message that has it, or of the keyboard."""
        await self.page.locator(".screen").get_by_role("button", name=name).last.click()

    async def say(self, text: str) -> None:
        await self.tab("Чат")
        await self.page.get_by_placeholder("Сообщение").fill(text)
        await self.page.get_by_placeholder("Сообщение").press("Enter")

    async def show(self, card: str) -> None:
        """Tap a receipt of the tray."""
        await self.tab("Чеки")
        await self.page.locator(f"[data-card={card}]").click()
        await expect(self.page.locator(".message.mine img").last).to_be_visible()

    async def jump(self, name: str) -> None:
        """Move the clock by this button; back in the chat when it stands still."""
        await self.tab("Время")
        await self.page.locator(".time").get_by_role("button", name=name).click()
        await expect(self.page.locator(".toast").last).to_contain_text("Теперь", timeout=30_000)
        await self.tab("Чат")

    async def become(self, name: str) -> None:
        await self.tab("Чат")
        person = self.page.locator(".people").get_by_role("button", name=name)
        await person.click()
        await expect(person).to_have_attribute("aria-pressed", "true")

    async def tab(self, name: str) -> None:
        if self._narrow:
            await self.page.locator(".tabs").get_by_role("button", name=name).click()

    async def is_sound(self, moment: str) -> None:
        """Nothing scrolls sideways, light or dark; a picture of it is kept."""
        for scheme in (OTHER[self._scheme], self._scheme):
            await self.page.emulate_media(color_scheme=scheme)
            await expect(self.page.locator("html")).to_have_attribute("data-theme", scheme)
            wide = await self.page.evaluate(WIDER)
            assert wide == [], (moment, scheme, wide)
            await self.page.screenshot(path=self._shots / f"{self._name}-{moment}-{scheme}.png")

    def _answered(self, response) -> None:
        if response.status >= 400:
            self.complaints.append(f"{response.status} {response.request.method} {response.url}")

    def _heard(self, message) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)


# What is wider than its window, or is to be moved sideways by fingers though nobody meant it.
WIDER = """() => {
  const root = document.scrollingElement;
  const found = root.scrollWidth > root.clientWidth ? ["the page"] : [];
  for (const one of document.querySelectorAll("main *, aside *, nav *")) {
    const meant = one.matches(".people, input");
    if (!meant && getComputedStyle(one).overflowX !== "visible"
        && one.scrollWidth > one.clientWidth + 1 && !one.closest("svg, .heard, .closer")) {
      found.push(one.className || one.tagName);
    }
    const box = one.getBoundingClientRect();
    if (box.width && !one.closest(".people, .closer > *") && (box.right > innerWidth + 1 || box.left < -1)) {
      found.push(`${one.tagName}.${one.className}`);
    }
  }
  return found;
}"""


@asynccontextmanager
async def opened(
    browser: Browser,
    sandbox: Installation,
    shots: Path,
    *,
    size: tuple[int, int],
    scheme: str,
    path: str = "",
) -> AsyncIterator[Phone]:
    """The playground of an empty sandbox in a window of this size; complaints fail at the end."""
    sandbox.call("POST", "/playground/api/reset", {})
    context = await browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme=scheme,
        locale="ru-RU",
        timezone_id="Europe/Moscow",
    )
    page = await context.new_page()
    phone = Phone(
        page,
        shots,
        name="phone" if size == PHONE else "desktop",
        narrow=size[0] < 900,
        scheme=scheme,
    )
    try:
        await page.goto(f"http://127.0.0.1:{sandbox.port}/playground{path}")
        yield phone
        assert not phone.complaints, phone.complaints
    except BaseException:
        await page.screenshot(path=shots / "failed.png")
        raise
    finally:
        await context.close()
