"""What a careless or hostile caller sends is refused with a reason, and never our fault."""

import json

import pytest

from vezde.testing.receipts import CORNER_SHOP, line, receipt, render

HALF = "\\ud800"  # half of a surrogate pair, as JSON may write it
NUL = "\\u0000"
CREAM = line("Крем для лица LUNARIA 50мл", 83_000)


async def sent(api, method, path, text, *, key=None):
    headers = {"Content-Type": "application/json"}
    return await api.call(method, path, content=text.encode(), headers=headers, key=key)


class TestText:
    @pytest.mark.parametrize("bad", [HALF, NUL])
    @pytest.mark.parametrize("key", [None, "once"])
    @pytest.mark.parametrize(
        "body",
        [
            '{"phone":"+79161234567","source":"%s"}',
            '{"identities":[{"kind":"telegram","value":"%s"}]}',
            '{"identities":[{"kind":"%s","value":"1"}]}',
            '{"identities":[{"kind":"external","value":"%s"}]}',
            '{"phone":"+79161234567","%s":1}',
        ],
    )
    async def test_of_members_is_refused(self, api, body, key, bad):
        answer = await sent(api, "POST", "/v1/members", body % bad, key=key)
        assert answer.status_code == 400, answer.text
        assert answer.json()["detail"]

    async def test_in_an_unknown_field_is_refused(self, api, anna):
        answer = await sent(api, "PATCH", f"/v1/members/{anna}", f'{{"{HALF}":1}}')
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_field")

    @pytest.mark.parametrize("bad", [HALF, NUL])
    async def test_of_a_qr_is_no_fiscal_code(self, api, anna, bad):
        body = f'{{"member_id":"{anna}","qr":"{bad}"}}'
        answer = await sent(api, "POST", "/v1/receipts", body, key="one")
        assert answer.status_code == 202, answer.text
        assert answer.json()["reason"]["code"] == "not_fiscal_qr"

    async def test_of_a_document_is_cleaned(self, api, anna):
        paper = json.dumps(render(receipt(1, lines=[CREAM])), ensure_ascii=False)
        body = f'{{"member_id":"{anna}","document":{paper}}}'.replace("Крем", f"Крем {HALF}")
        answer = await sent(api, "POST", "/v1/receipts", body, key="one")
        assert answer.status_code == 202, answer.text
        settled = await api.settled(answer.json()["id"])
        assert settled["status"] == "accepted"

    async def test_of_one_line_stops_no_batch(self, api, anna):
        paper = render(receipt(1, lines=[CREAM]))
        lines = [
            f'{{"member_id":"{HALF}","qr":"x"}}',
            f'{{"phone":"{HALF}","qr":"x"}}',
            f'{{"member_id":"{anna}","{HALF}":1,"qr":"x"}}',
            json.dumps({"member_id": anna, "document": paper}),
        ]
        answer = await api.call("POST", "/v1/receipts/batch", content="\n".join(lines).encode())
        assert answer.status_code == 200, answer.text
        shown = [json.loads(one) for one in answer.text.splitlines()]
        assert [one["error"]["code"] if "error" in one else one["status"] for one in shown] == [
            "not_found",
            "invalid_phone",
            "malformed",
            "accepted",
        ]

    @pytest.mark.parametrize("bad", [HALF, NUL])
    async def test_of_a_seller_is_refused(self, api, bad):
        body = f'{{"name":"a{bad}","kind":"chain","sales_channel":"chain"}}'
        answer = await sent(api, "PUT", f"/v1/sellers/{CORNER_SHOP.inn}", body)
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid")

    @pytest.mark.parametrize("path", ["sellers", "catalog/products", "receipts", "links"])
    async def test_of_a_cursor_is_refused(self, api, path):
        answer = await api.call("GET", f"/v1/{path}?cursor=AAAA")
        assert (answer.status_code, answer.json()["code"]) == (400, "bad_cursor")


class TestBodies:
    async def test_that_are_nested_without_an_end_are_malformed(self, api):
        answer = await sent(api, "POST", "/v1/members", "[" * 100_000)
        assert (answer.status_code, answer.json()["code"]) == (400, "malformed")

    async def test_that_are_no_whole_form_are_malformed(self, api):
        headers = {"Content-Type": "multipart/form-data"}
        answer = await api.call("POST", "/v1/receipts", content=b"--x", headers=headers, key="one")
        assert (answer.status_code, answer.json()["code"]) == (400, "malformed")


class TestInstants:
    @pytest.mark.parametrize("at", ["9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00%2B14:00"])
    async def test_at_the_calendars_ends_are_refused(self, api, anna, at):
        answer = await api.call("GET", f"/v1/members/{anna}/points?as_of={at}")
        assert (answer.status_code, answer.json()["code"]) == (400, "malformed")

    async def test_before_all_programmes_give_no_consent(self, api, anna):
        consent = {"purpose": "promo", "document_version": "1", "how": "web"}
        consent["given_at"] = "0001-01-01T00:00:00+14:00"
        answer = await api.call("POST", f"/v1/members/{anna}/consents", consent)
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_field")

    async def test_too_far_ahead_move_no_clock(self, api):
        for body, code in (
            ({"set": "9999-12-31T00:00:00Z"}, "malformed"),
            ({"set": "2199-01-01T00:00:00Z"}, "too_far_ahead"),
            ({"advance": "P99999D"}, "too_far_ahead"),
        ):
            answer = await api.call("POST", "/v1/sandbox/clock", body)
            assert (answer.status_code, answer.json()["code"]) == (400, code)
        assert (await api.ok("GET", "/v1/sandbox/clock"))["offset_seconds"] == 0


class TestSalesChannel:
    async def test_that_nobody_knows_is_refused(self, api):
        label = {"name": "Уголок", "kind": "chain", "sales_channel": "chian"}
        answer = await api.call("PUT", f"/v1/sellers/{CORNER_SHOP.inn}", label)
        assert (answer.status_code, answer.json()["code"]) == (400, "unknown_channel")
        assert [one["path"] for one in answer.json()["errors"]] == ["sales_channel"]


class TestSellerOfAReceipt:
    async def test_is_null_until_the_place_is_known(self, api, anna):
        paper = {"member_id": anna, "document": render(receipt(1, lines=[CREAM]))}
        shown = await api.ok("POST", "/v1/receipts", paper, key="one")
        assert (shown["status"], shown["seller"]) == ("checking", None)


class TestDescription:
    async def test_tells_of_problems_and_no_other_errors(self, api):
        described = (await api.http.get("/openapi.json")).json()
        for path, operations in described["paths"].items():
            for method, operation in operations.items():
                answers = operation["responses"]
                assert "422" not in answers, f"{method} {path}"
                assert "application/problem+json" in answers["default"]["content"]

    async def test_refers_to_nothing_that_is_not_there(self, api):
        described = (await api.http.get("/openapi.json")).json()
        for reference in set(_references(described)):
            found = described
            for step in reference.removeprefix("#/").split("/"):
                assert step in found, reference
                found = found[step]


def _references(node):
    if isinstance(node, dict):
        for name, value in node.items():
            if name == "$ref" and isinstance(value, str):
                yield value
            else:
                yield from _references(value)
    elif isinstance(node, list):
        for value in node:
            yield from _references(value)
