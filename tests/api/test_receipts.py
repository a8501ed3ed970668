"""Receipts over HTTP, as the contract has them."""

import json
from datetime import datetime, timedelta

import pytest

from vezde.testing.documents import Sheet, details_text, export, pdf, wildberries_text
from vezde.testing.receipts import (
    OZON,
    PYATEROCHKA,
    WILDBERRIES,
    Shape,
    line,
    picture,
    receipt,
    render,
)

CREAM = line("Крем для лица LUNARIA 50мл", 83_000)
PAPER = receipt(1, lines=[CREAM, line("Хлеб", 5_000)], seller=PYATEROCHKA)


class TestSubmit:
    async def test_a_verified_document_becomes_points(self, api, anna):
        shown = await api.ok(
            "POST", "/v1/receipts", {"member_id": anna, "document": render(PAPER)}, key="one"
        )
        settled = await api.settled(shown["id"])
        assert settled["status"] == "accepted"
        assert settled["seller"] == {
            "inn": "7825706086",
            "name": settled["seller"]["name"],
            "kind": settled["seller"]["kind"],
            "sales_channel": "chain",
        }
        assert settled["wall_time"] == "2026-11-17T12:30:00"
        assert settled["purchased_at"] == "2026-11-17T09:30:00Z"
        assert settled["total_kopecks"] == 88_000
        assert [one["product_sku"] for one in settled["lines"]] == ["CREAM-50", None]
        assert settled["lines"][0]["points"] == 83
        assert settled["points"]["active"] == 83
        points = await api.ok("GET", f"/v1/members/{anna}/points")
        assert (points["active"], points["point_value_kopecks"]) == (83, 100)

    async def test_without_an_idempotency_key_is_refused(self, api, anna):
        response = await api.call(
            "POST", "/v1/receipts", {"member_id": anna, "document": render(PAPER)}
        )
        assert response.status_code == 400
        assert response.json()["code"] == "idempotency_key_required"
        assert response.headers["content-type"] == "application/problem+json"

    async def test_repeated_with_its_key_answers_the_same(self, api, anna):
        body = {"member_id": anna, "document": render(PAPER)}
        first = await api.call("POST", "/v1/receipts", body, key="one")
        again = await api.call("POST", "/v1/receipts", body, key="one")
        assert first.status_code == again.status_code == 202
        assert first.content == again.content
        other = {"member_id": anna, "qr": PAPER.qr.text()}
        reused = await api.call("POST", "/v1/receipts", other, key="one")
        assert (reused.status_code, reused.json()["code"]) == (409, "key_reused")

    async def test_a_picture_gives_its_qr(self, api, anna):
        response = await api.call(
            "POST",
            "/v1/receipts",
            key="photo",
            data={"member_id": anna},
            files={"file": ("photo.png", picture(PAPER))},
        )
        assert response.status_code == 202
        assert response.json()["status"] == "checking"
        assert response.json()["total_kopecks"] == 88_000

    async def test_while_it_is_checked_it_says_when_it_is_asked_for_and_until_when(self, api, anna):
        given = {"member_id": anna, "qr": PAPER.qr.text()}
        sent = await api.ok("POST", "/v1/receipts", given, key="checked")
        shown = await api.ok("GET", f"/v1/receipts/{sent['id']}")
        check = shown["check"]
        assert (check["asked"], check["promised_points"]) == (0, 0)
        assert check["next_at"] is not None
        registered = datetime.fromisoformat(shown["registered_at"])
        assert datetime.fromisoformat(check["until"]) - registered == timedelta(days=30)

    async def test_an_export_registers_each_of_its_receipts(self, api, anna):
        papers = [receipt(number, lines=[CREAM]) for number in range(2, 5)]
        sent = {"data": {"member_id": anna}, "files": {"file": ("чеки.json", export(papers))}}
        shown = (await api.call("POST", "/v1/receipts", key="export", **sent)).json()
        ids = [shown["id"], *[one["id"] for one in shown["others"]]]
        assert len(set(ids)) == 3
        assert shown["summary"] == {
            "receipts": 3,
            "by_status": {"checking": 3},
            "repeated": 0,
            "unread": 0,
        }
        for one in ids:
            assert (await api.settled(one))["status"] == "accepted"
        again = (await api.call("POST", "/v1/receipts", key="export 2", **sent)).json()
        assert again["summary"]["repeated"] == 3
        assert {again["id"], *[one["id"] for one in again["others"]]} == set(ids)

    async def test_a_pdf_of_a_marketplace_shows_what_it_says(self, api, anna):
        paper = receipt(7, lines=[CREAM], seller=WILDBERRIES)
        made = pdf(Sheet(wildberries_text(paper), picture(paper)))
        sent = {"data": {"member_id": anna}, "files": {"file": ("чек.pdf", made)}}
        shown = (await api.call("POST", "/v1/receipts", key="pdf", **sent)).json()
        stored = await api.ok("GET", f"/v1/receipts/{shown['id']}")
        assert (stored["status"], stored["lines"]) == ("checking", [])
        assert stored["slip"]["place"] == "wildberries"
        (line_,) = stored["slip"]["lines"]
        assert (line_["sum_kopecks"], line_["order_mark"]) == (83_000, f"ea9.{1:032x}.0.0")

    async def test_details_in_any_order_are_a_receipt(self, api, anna):
        body = {"member_id": anna, "qr": details_text(PAPER)}
        shown = await api.ok("POST", "/v1/receipts", body, key="typed")
        assert (shown["status"], shown["total_kopecks"]) == ("checking", 88_000)

    async def test_what_it_was_instead_is_said(self, api, anna):
        link = "https://www.ozon.ru/my/e-check/download/uzOm3-1"
        body = {"member_id": anna, "qr": link}
        shown = await api.ok("POST", "/v1/receipts", body, key="link")
        assert (shown["status"], shown["reason"]["code"]) == ("rejected", "not_fiscal_qr")
        assert "видно только вам" in shown["reason"]["text"]
        stored = await api.ok("GET", f"/v1/receipts/{shown['id']}")
        assert stored["reason"] == shown["reason"]

    @pytest.mark.parametrize(
        ("text", "reason"),
        [("https://qr.nspk.ru/AD10", "not_fiscal_qr"), (PAPER.qr.text()[:40], "bad_qr")],
    )
    async def test_another_code_is_rejected_with_its_reason(self, api, anna, text, reason):
        shown = await api.ok("POST", "/v1/receipts", {"member_id": anna, "qr": text}, key="x")
        assert (shown["status"], shown["reason"]["code"]) == ("rejected", reason)

    async def test_a_blurred_picture_is_rejected(self, api, anna):
        response = await api.call(
            "POST",
            "/v1/receipts",
            key="blurred",
            data={"member_id": anna},
            files={"file": ("photo.png", picture(PAPER, blurred=True))},
        )
        assert response.json()["reason"]["code"] == "unreadable_image"

    async def test_a_key_that_vouches_for_nothing_has_a_provider_asked(self, api, anna):
        plain = await api.key("receipts", name="plain")
        shown = await api.ok(
            "POST",
            "/v1/receipts",
            {"member_id": anna, "document": render(PAPER)},
            key="one",
            headers=plain,
        )
        assert shown["status"] == "checking"
        assert shown["lines"] == []

    async def test_refuses_bad_bodies_with_their_place(self, api, anna):
        cases = [
            ({"member_id": anna}, 400, "malformed"),
            ({"member_id": anna, "qr": "x", "document": {}}, 400, "malformed"),
            ({"member_id": anna, "qrr": "x"}, 400, "malformed"),
            ({"member_id": "mem_x", "qr": "x"}, 404, "not_found"),
            ({"member_id": anna, "document": {"a": 1}}, 400, "unreadable_document"),
        ]
        for number, (body, status, code) in enumerate(cases):
            response = await api.call("POST", "/v1/receipts", body, key=f"bad-{number}")
            assert (response.status_code, response.json()["code"]) == (status, code), body
        huge = b'{"member_id": "' + b"x" * 2_000_000
        response = await api.call("POST", "/v1/receipts", key="huge", content=huge)
        assert (response.status_code, response.json()["code"]) == (413, "too_large")
        deep = b'{"a":' * 10_000
        response = await api.call("POST", "/v1/receipts", key="deep", content=deep)
        assert response.status_code == 400

    async def test_already_registered_and_taken(self, api, anna, boris):
        first = await api.ok(
            "POST", "/v1/receipts", {"member_id": anna, "document": render(PAPER)}, key="a"
        )
        own = await api.ok(
            "POST", "/v1/receipts", {"member_id": anna, "document": render(PAPER)}, key="b"
        )
        assert own["reason"]["code"] == "already_registered"
        assert own["first_receipt_id"] == first["id"]
        other = await api.ok(
            "POST", "/v1/receipts", {"member_id": boris, "qr": PAPER.qr.text()}, key="c"
        )
        assert other["reason"]["code"] == "taken"
        assert other["first_receipt_id"] is None


class TestBatch:
    async def test_answers_each_line_in_order(self, api, anna):
        lines = [
            {"member_id": anna, "document": render(PAPER)},
            {"nonsense": 1},
            {"phone": "+79000000077", "enrol": True, "document": render(
                receipt(2, lines=[CREAM], seller=OZON), Shape.PROVERKACHEKA)},
            {"member_id": anna, "document": render(PAPER)},
            {"member_id": anna, "qr": receipt(3, lines=[CREAM]).qr.text()},
            {"phone": "+79000000099", "document": render(receipt(4, lines=[CREAM]))},
        ]  # fmt: skip
        answers = await api.batch(*lines)
        assert [one["line"] for one in answers] == [1, 2, 3, 4, 5, 6]
        assert answers[0]["status"] == "accepted"
        assert answers[0]["points"]["active"] == 83
        assert answers[1]["error"]["code"] == "malformed"
        assert answers[2]["points"]["pending"] == 41
        assert (answers[3]["repeated"], answers[3]["id"]) == (True, answers[0]["id"])
        assert answers[4]["status"] == "checking"
        assert answers[5]["error"]["code"] == "member_not_found"
        assert (await api.ok("GET", f"/v1/members/{anna}/points"))["active"] == 83

    async def test_with_a_key_answers_what_it_answered(self, api, anna):
        line_ = {"member_id": anna, "document": render(PAPER)}
        first = await api.batch(line_, key="batch-1")
        again = await api.batch(line_, key="batch-1")
        assert first == again
        assert "repeated" not in again[0]

    async def test_of_a_thousand_and_one_lines_is_too_large(self, api, anna):
        content = b'{"a":1}\n' * 1_001
        response = await api.call("POST", "/v1/receipts/batch", content=content)
        assert response.status_code == 413

    async def test_of_nothing_answers_nothing(self, api, anna):
        assert await api.batch() == []


class TestRead:
    async def test_lists_by_member_and_status_in_pages(self, api, anna):
        papers = [receipt(number, lines=[CREAM]) for number in range(5)]
        await api.batch(*({"member_id": anna, "document": render(one)} for one in papers))
        seen, cursor = [], ""
        while cursor is not None:
            page = await api.ok("GET", f"/v1/receipts?member_id={anna}&limit=2&cursor={cursor}"
                                if cursor else f"/v1/receipts?member_id={anna}&limit=2")  # fmt: skip
            seen += [one["id"] for one in page["items"]]
            cursor = page["next_cursor"]
        assert len(seen) == len(set(seen)) == 5
        assert (await api.ok("GET", "/v1/receipts?status=rejected"))["items"] == []

    async def test_an_unknown_receipt_is_missing(self, api, anna):
        for receipt_id in ("rcp_nothing", "rcp_" + "A" * 43):
            response = await api.call("GET", f"/v1/receipts/{receipt_id}")
            assert response.status_code == 404


class TestDecideLine:
    async def test_pays_for_a_line_in_doubt(self, api, anna):
        (doubt,) = await api.batch(
            {
                "member_id": anna,
                "document": render(receipt(1, lines=[line("Помада LUNARIA", 50_000)])),
            }
        )
        assert doubt["status"] == "in_review"
        shown = await api.ok("GET", f"/v1/receipts/{doubt['id']}")
        match = shown["lines"][0]["match"]
        guesses = match["candidates"]
        assert match["candidate_sku"] == guesses[0]["product_sku"]
        assert {one["product_sku"] for one in guesses} >= {"LIP-01", "LIP-02"}
        assert [one["score"] for one in guesses] == sorted(
            (one["score"] for one in guesses), reverse=True
        )
        assert 0 <= match["product_line"]["score"] <= 1
        path = f"/v1/receipts/{doubt['id']}/lines/1/match"
        decided = await api.ok("POST", path, {"product_sku": "LIP-02"})
        assert decided["status"] == "accepted"
        assert decided["points"]["active"] == 50
        again = await api.call("POST", path, {"product_sku": "LIP-01"})
        assert again.status_code == 409


class TestExplanation:
    async def test_tells_lines_rule_and_receipt(self, api, anna):
        await api.batch({"member_id": anna, "document": render(PAPER)})
        history = (await api.ok("GET", f"/v1/members/{anna}/history"))["items"]
        assert [(one["kind"], one["points"]) for one in history] == [("accrue", 83)]
        assert history[0]["title"] == "Покупка: Пятёрочка"
        why = await api.ok("GET", f"/v1/history/{history[0]['id']}/explanation?misses=true")
        assert why["program_version"] == 1
        assert why["fiscal"]["fd"] == PAPER.key.fd
        assert why["seller"]["sales_channel"] == "chain"
        (only,) = why["lines"]
        assert (only["product_sku"], only["rate_bp"], only["points"]) == ("CREAM-50", 1000, 83)
        assert only["name"] == CREAM.name
        assert isinstance(why["misses"], list)


class TestLongBatches:
    @pytest.mark.parametrize("client", ["httpx", "curl"])
    async def test_lose_no_line(self, api, anna, client, tmp_path):
        import asyncio

        content = "\n".join(
            json.dumps({"member_id": anna, "document": render(receipt(n, lines=[CREAM]))})
            for n in range(1_000)
        ).encode()
        if client == "httpx":
            response = await api.call("POST", "/v1/receipts/batch", content=content)
            text = response.text
        else:
            file = tmp_path / "batch.ndjson"
            file.write_bytes(content)
            process = await asyncio.create_subprocess_exec(
                "curl", "-s", "--data-binary", f"@{file}",
                "-H", f"Authorization: {api.headers['Authorization']}",
                f"{api.base_url}/v1/receipts/batch",
                stdout=asyncio.subprocess.PIPE,
            )  # fmt: skip
            text = (await process.communicate())[0].decode()
        answers = [json.loads(one) for one in text.splitlines()]
        assert [one["line"] for one in answers] == list(range(1, 1_001))
        assert all(one["status"] == "accepted" for one in answers)
        assert (await api.ok("GET", f"/v1/members/{anna}/points"))["active"] == 83_000
