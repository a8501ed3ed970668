"""The console as the brand's people use it: on a desk and on a phone, in both languages."""

import json
import re
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from browser.phone import DESKTOP, WIDER
from vezde.purchases.marking import Pack
from vezde.testing.installation import Installation
from vezde.testing.receipts import line, picture, receipt, render

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


LIPSTICKS = ("Лунария помада матов", "ПОМАДА ЛУНАРИЯ ПОЛЯРНОЕ СИЯНИЕ", "Лунария крем")
TAUGHT = "Лунария пробник"  # decided before anybody looks


@pytest.fixture(scope="module")
def doubts(sandbox: Installation) -> None:
    """Receipts of two people with lines that nobody is sure of, some alike."""
    sandbox.make_key("console")
    noon = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0, tzinfo=None)
    day = noon - timedelta(days=1)
    soap = line("Мыло хозяйственное 72% 200г", 4_900)
    for number, name in enumerate([*LIPSTICKS, LIPSTICKS[0], LIPSTICKS[0], TAUGHT], start=1):
        given = {"phone": f"+7900000010{number % 2}"}
        status, answer = sandbox.request("POST", "/v1/members", json.dumps(given).encode())
        member = json.loads(answer)["id" if status == 201 else "member_id"]
        # Of tills and days of their own: bought in one minute they would be suspicious.
        bought = day - timedelta(days=number)
        paper = receipt(number * 100_000, lines=[soap, line(name, 10_000 * number)], at=bought)
        sandbox.call(
            "POST",
            "/v1/receipts",
            {"member_id": member, "document": render(paper)},
            Idempotency_Key=f"console-{number}",
        )
    for _ in range(200):
        waiting = sandbox.call("GET", "/v1/receipts?status=in_review")["items"]
        if len(waiting) == 6:
            (taught,) = (one for one in waiting if one["lines"][1]["name"] == TAUGHT)
            path = f"/v1/receipts/{taught['id']}/lines/2/match"
            sandbox.call("POST", path, {"product_sku": None})
            return
        time.sleep(0.1)
    raise AssertionError("the receipts are not in review")


@pytest.fixture(scope="module")
def pictured(pages: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """An installation where a receipt in doubt came as a picture."""
    folder = tmp_path_factory.mktemp("pictured")
    yesterday = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0, tzinfo=None)
    paper = receipt(1, lines=[line(LIPSTICKS[0], 50_000)], at=yesterday - timedelta(days=1))
    known = folder / "known"
    known.mkdir()
    name = f"{paper.key.fn}-{paper.key.fd}.json"
    (known / name).write_text(json.dumps(render(paper)), "utf-8")
    environ = {"VEZDE_SANDBOX": "1", "VEZDE_WORKERS": "1", "VEZDE_DOCUMENTS_DIR": str(known)}
    with Installation(folder / "var", **environ) as running:
        running.make_key("console")
        member = running.call("POST", "/v1/members", {"phone": "+79000000101"})["id"]
        body = (
            f'--cut\r\nContent-Disposition: form-data; name="member_id"\r\n\r\n{member}\r\n--cut\r\n'
            'Content-Disposition: form-data; name="file"; filename="photo.png"\r\n\r\n'
        ).encode()
        status, answer = running.request(
            *("POST", "/v1/receipts", body + picture(paper) + b"\r\n--cut--\r\n"),
            Content_Type="multipart/form-data; boundary=cut",
            Idempotency_Key="pictured",
        )
        assert status == 202, answer
        for _ in range(200):
            if running.call("GET", "/v1/receipts?status=in_review")["items"]:
                break
            time.sleep(0.1)
        yield running


class TestModeration:
    async def test_goes_by_keys_and_back(
        self, browser: Browser, sandbox: Installation, doubts: None, shots: Path
    ) -> None:
        async with opened(browser, sandbox, shots) as desk:
            await desk.enter()
            await desk.go("/moderation")
            line_ = desk.page.get_by_role("region").locator("h2")
            await expect(line_).to_have_text(LIPSTICKS[0])
            await desk.is_sound("moderation")
            await desk.page.keyboard.press("j")
            await expect(line_).to_have_text(LIPSTICKS[1])
            await desk.page.keyboard.press("k")
            await desk.page.keyboard.press(
                "1"
            )  # and those alike that no worker matched again meanwhile
            await expect(desk.page.get_by_role("status").first).to_have_text(re.compile("^Решено"))
            await expect(line_).to_have_text(LIPSTICKS[1])
            await desk.page.keyboard.press("u")
            await expect(desk.page.get_by_role("status").first).to_have_text(
                re.compile("Отменено|отменено")
            )
            await expect(line_).to_have_text(LIPSTICKS[0])
            await desk.page.keyboard.press("/")
            await desk.page.get_by_label("Название, артикул или штрихкод").fill("помада клевер")
            await expect(desk.page.locator(".found button")).to_have_count(1)
            await desk.is_sound("moderation-search")
            await desk.page.locator(".found button").click()
            await expect(line_).to_have_text(LIPSTICKS[1])
            await desk.page.keyboard.press("?")
            await expect(desk.page.get_by_role("dialog")).to_be_visible()

    async def test_the_picture_is_beside_the_lines_and_is_turned_and_enlarged(
        self, browser: Browser, pictured: Installation, shots: Path
    ) -> None:
        for size, name in ((DESKTOP, "photo"), (NARROW, "photo-phone")):
            async with opened(browser, pictured, shots, size) as desk:
                await desk.enter()
                await desk.go("/moderation")
                shot = desk.page.get_by_role("img", name="Снимок чека")
                await expect(shot).to_have_js_property("complete", value=True)
                await expect(shot).to_have_js_property("naturalWidth", 480)
                await desk.is_sound(name)
                before = await shot.bounding_box()
                assert before is not None
                await desk.button("Повернуть").click()
                turned = await shot.bounding_box()
                assert turned is not None
                assert turned["width"] > turned["height"]
                assert abs(turned["width"] - before["width"]) < 3, "it fills the same width"
                await desk.button("Ближе").click()
                closer = await shot.bounding_box()
                assert closer is not None
                assert closer["width"] > turned["width"] * 1.4
                await desk.is_sound(f"{name}-turned")

    async def test_a_colleague_was_faster_and_a_phone_is_wide_enough(
        self, browser: Browser, sandbox: Installation, doubts: None, shots: Path
    ) -> None:
        async with (
            opened(browser, sandbox, shots, NARROW) as slow,
            opened(browser, sandbox, shots, DESKTOP, "en") as quick,
        ):
            for desk in (slow, quick):
                await desk.enter()
                await desk.go("/moderation")
                await expect(desk.page.get_by_role("region").locator("h2")).to_be_visible()
            await slow.is_sound("moderation")
            await quick.is_sound("moderation")
            await quick.button(re.compile("^Not ours")).click()
            await expect(quick.page.get_by_role("status").first).to_contain_text(
                re.compile("decided", re.IGNORECASE)  # one line, or those alike with it
            )
            await slow.button(re.compile("^Не наш товар")).click()
            await expect(slow.page.get_by_role("alert")).to_contain_text(
                "уже решил другой оператор"
            )
            slow.complaints.clear()  # the browser itself tells of a 409

    @pytest.mark.parametrize("size", [DESKTOP, NARROW])
    async def test_names_and_shops_are_looked_after(
        self, browser: Browser, sandbox: Installation, doubts: None, shots: Path, size
    ) -> None:
        async with opened(browser, sandbox, shots, size) as desk:
            await desk.enter()
            await desk.go("/aliases")
            await expect(desk.page.locator("h1")).to_have_text("Выученные названия")
            await expect(desk.button("Забыть").first).to_be_visible()
            await desk.is_sound("aliases")
            await desk.go("/sellers")
            await expect(desk.page.locator("h1")).to_have_text("Магазины")
            await desk.page.get_by_label("Какие магазины").select_option("known")
            await expect(desk.button("Сохранить").first).to_be_visible()
            await desk.is_sound("sellers")

    @pytest.mark.parametrize(("size", "locale"), [(DESKTOP, "ru"), (NARROW, "en")])
    async def test_a_shop_is_watched_and_trusted_no_more(
        self, browser: Browser, sandbox: Installation, doubts: None, shots: Path, size, locale: str
    ) -> None:
        which, trust, why, watched, save = {
            "ru": ("Какие магазины", "Доверие", "Почему", "наблюдаем", "Сохранить"),
            "en": ("Which shops", "Trust", "Why", "watched", "Save"),
        }[locale]
        async with opened(browser, sandbox, shots, size, locale) as desk:
            await desk.enter()
            await desk.go("/sellers")
            await desk.page.get_by_label(which).select_option("known")
            row = desk.page.locator("li", has_text="7825706086")
            await row.get_by_label(trust).select_option("watched")
            await row.get_by_label(why).fill("странные цены")
            await row.locator(".trust").get_by_role("button", name=save).click()
            await desk.page.get_by_label(which).select_option("watched")
            row = desk.page.locator("li", has_text="7825706086")
            await expect(row.get_by_label(trust)).to_have_value("watched")
            await expect(row.get_by_label(why)).to_have_value("странные цены")
            await expect(row.locator("option:checked", has_text=watched)).to_have_count(1)
            await desk.is_sound("sellers-watched")
            await row.get_by_label(trust).select_option("")
            await row.locator(".trust").get_by_role("button", name=save).click()
            await expect(row).to_have_count(0)


@pytest.fixture
def held(sandbox: Installation, doubts: None) -> None:
    """Three receipts of three people with one jar between them: two wait."""
    programme = sandbox.call("GET", "/v1/program")["document"]
    programme["signals"]["quarantine_at"] = 105  # a sandbox holds nothing by itself
    sandbox.call("PUT", "/v1/program", {"document": programme})
    mark = time.monotonic_ns() % 10**6
    noon = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0, tzinfo=None)
    jar = line(
        *("LUNARIA ПЕНКА Д/УМЫВ ЛУН.ШЕЛК 150МЛ", 69_000),
        gtin="02990000000019",
        serial=f"Held{mark}",
    )
    for number in range(3):
        given = json.dumps({"phone": f"+7900000020{number}"}).encode()
        status, answer = sandbox.request("POST", "/v1/members", given)
        member = json.loads(answer)["id" if status == 201 else "member_id"]
        bought = noon - timedelta(days=10 + 2 * number)
        paper = receipt((10 * mark + number) * 100_000, lines=[jar], at=bought)
        sandbox.call(
            "POST",
            "/v1/receipts",
            {"member_id": member, "document": render(paper)},
            Idempotency_Key=f"held-{mark}-{number}",
        )
    for _ in range(200):
        if len(sandbox.call("GET", "/v1/quarantine")["items"]) == 2:
            return
        time.sleep(0.1)
    raise AssertionError("the receipts are not held")


class TestHeld:
    @pytest.mark.parametrize(("size", "locale"), [(DESKTOP, "ru"), (NARROW, "en")])
    async def test_receipts_are_released_and_declined(
        self, browser: Browser, sandbox: Installation, held: None, shots: Path, size, locale: str
    ) -> None:
        title, release, decline, why, told, gone = {
            "ru": ("Задержанные чеки", "Отпустить", "Отклонить", "Почему", "отпущен", "отклонён"),
            "en": ("Held receipts", "Release", "Decline", "Why", "Released", "Declined"),
        }[locale]
        way = {"ru": "Разобрать: Задержано чеков", "en": "Decide: Receipts held"}[locale]
        async with opened(browser, sandbox, shots, size, locale) as desk:
            await desk.enter()
            await desk.go("/today")
            tile = desk.page.locator(".tile", has=desk.page.get_by_role("link", name=way))
            await expect(tile.locator(".value")).to_have_text("2")
            await desk.is_sound("today-held")
            await desk.page.get_by_role("link", name=way).click()
            await expect(desk.page.locator("h1")).to_have_text(title)
            cards = desk.page.locator(".held > li")
            await expect(cards).to_have_count(2)
            await expect(cards.first.locator(".reasons li").first).to_be_visible()
            await desk.is_sound("quarantine")
            await cards.first.get_by_role("button", name=release).click()
            await expect(desk.page.get_by_role("status").first).to_contain_text(told)
            await expect(cards).to_have_count(1)
            await cards.first.get_by_role("button", name=decline).click()
            dialog = desk.page.get_by_role("dialog")
            await dialog.get_by_label(why).fill("одна банка на троих")
            await desk.is_sound("quarantine-declining")
            await dialog.get_by_role("button", name=decline).click()
            await expect(desk.page.get_by_role("status").first).to_contain_text(gone)
            await expect(cards).to_have_count(0)
            await desk.is_sound("quarantine-empty")


@pytest.fixture
def disputed(sandbox: Installation, doubts: None) -> None:
    """A receipt that one has and another claims, by the code of the pack on it."""
    mark = time.monotonic_ns() % 10**6
    noon = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0, tzinfo=None)
    pack = Pack("02990000000019", f"Disp{mark}")
    jar = line(*("LUNARIA ПЕНКА Д/УМЫВ ЛУН.ШЕЛК 150МЛ", 69_000), gtin=pack.gtin, serial=pack.serial)
    paper = receipt((30 * mark + 7) * 1_000, lines=[jar], at=noon - timedelta(days=3))
    shown = []
    for number, what in enumerate([{"document": render(paper)}, {"qr": paper.qr.text()}]):
        given = json.dumps({"phone": f"+7900000030{number}"}).encode()
        status, answer = sandbox.request("POST", "/v1/members", given)
        member = json.loads(answer)["id" if status == 201 else "member_id"]
        key = f"disputed-{mark}-{number}"
        posted = sandbox.call(
            "POST", "/v1/receipts", {"member_id": member, **what}, Idempotency_Key=key
        )
        shown.append(posted["id"])
        until(sandbox, posted["id"], {"accepted", "rejected"})
    path = f"/v1/receipts/{shown[1]}/dispute"
    sandbox.call("POST", path, {"code": pack.text}, Idempotency_Key=f"disputed-{mark}")


def until(sandbox: Installation, receipt_id: str, wanted: set[str]) -> None:
    for _ in range(200):
        if sandbox.call("GET", f"/v1/receipts/{receipt_id}")["status"] in wanted:
            return
        time.sleep(0.1)
    raise AssertionError(f"{receipt_id} is none of {wanted}")


class TestDisputes:
    @pytest.mark.parametrize(("size", "locale"), [(DESKTOP, "ru"), (NARROW, "en")])
    async def test_a_receipt_moves_to_who_proved_it(
        self, browser: Browser, sandbox: Installation, disputed: None, shots: Path, size, locale
    ) -> None:
        title, move, yes, moved = {
            "ru": ("Спорные чеки", "Передать", "Да", "Передан второму"),
            "en": ("Disputed receipts", "Give", "Yes", "Given to the second"),
        }[locale]
        way = {"ru": "Разобрать: Споров ждут решения", "en": "Decide: Disputes waiting"}[locale]
        async with opened(browser, sandbox, shots, size, locale) as desk:
            await desk.enter()
            await desk.go("/today")
            await desk.page.get_by_role("link", name=way).click()
            await expect(desk.page.locator("h1")).to_have_text(title)
            cards = desk.page.locator(".dispute")
            await expect(cards).to_have_count(1)
            await desk.page.locator("details summary").click()
            await desk.is_sound("disputes")
            await cards.get_by_role("button", name=re.compile(f"^{move}")).click()
            await desk.is_sound("disputes-sure")
            await cards.get_by_role("button", name=re.compile(f"^{yes}")).click()
            await expect(cards).to_have_count(0)
            await desk.is_sound("disputes-empty")
            await desk.page.get_by_role("combobox").select_option("true")
            await expect(cards.first).to_be_visible()
            await desk.is_sound("disputes-decided")
            await expect(cards.first).to_contain_text(moved)


class TestFigures:
    @pytest.mark.parametrize(("size", "locale"), [(DESKTOP, "ru"), (NARROW, "en")])
    async def test_are_charts_and_tables(
        self, browser: Browser, sandbox: Installation, doubts: None, shots: Path, size, locale: str
    ) -> None:
        words = {"ru": ("Таблицей", "День"), "en": ("As a table", "Day")}[locale]
        async with opened(browser, sandbox, shots, size, locale) as desk:
            await desk.enter()
            await desk.go("/today")
            await expect(desk.page.locator("canvas").first).to_be_visible()
            await desk.is_sound("today")
            await desk.button(words[0]).first.click()
            table = desk.page.locator("figure table").first
            await expect(table).to_contain_text(words[1])
            await desk.is_sound("today-table")
            await desk.go("/quality")
            await expect(desk.page.get_by_role("region").first).to_be_visible()
            await desk.is_sound("quality")
