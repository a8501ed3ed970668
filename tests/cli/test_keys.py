import re

from cli.installation import Installation


class TestCreate:
    def test_prints_the_key_alone(self, real: Installation) -> None:
        ran = real.run("keys", "create", "--name", "shop", "--scopes", "all")
        assert re.fullmatch(r"vezde_[0-9a-f]{32}_[\w-]{43}\n", ran.stdout)
        assert ran.stderr == ""

    def test_takes_scopes_in_any_usual_form(self, real: Installation) -> None:
        given = ("--scopes", "members,receipts", "--scopes", "points catalog")
        real.run("keys", "create", "--name", "forms", *given)
        said = real.run("keys", "list", COLUMNS="200").stdout
        assert "catalog, members, points, receipts" in said

    def test_refuses_an_unknown_scope(self, real: Installation) -> None:
        ran = real.run("keys", "create", "--name", "odd", "--scopes", "everything", code=1)
        assert "«everything» is no scope" in ran.stderr
        assert "receipts:verified" in ran.stderr

    def test_refuses_a_name_that_a_live_key_has(self, real: Installation) -> None:
        real.run("keys", "create", "--name", "till", "--scopes", "receipts")
        ran = real.run("keys", "create", "--name", "till", "--scopes", "receipts", code=1)
        assert ran.stdout == ""
        assert "revoke that one" in ran.stderr


class TestRevoke:
    def test_closes_the_key_and_frees_its_name(self, real: Installation) -> None:
        real.run("keys", "create", "--name", "old", "--scopes", "points")
        real.run("keys", "revoke", "old")
        assert "revoked" in real.run("keys", "list", COLUMNS="200").stdout
        real.run("keys", "create", "--name", "old", "--scopes", "points")

    def test_says_when_there_is_no_such_key(self, real: Installation) -> None:
        assert "no live key" in real.run("keys", "revoke", "nobody", code=1).stderr


class TestList:
    def test_never_shows_a_key_again(self, real: Installation) -> None:
        made = real.run("keys", "create", "--name", "secret", "--scopes", "all").stdout
        said = real.run("keys", "list", COLUMNS="300").stdout
        assert "secret" in said
        assert made.strip().split("_", 2)[2] not in said


class TestPublishable:
    def test_prints_a_key_for_pages(self, real: Installation) -> None:
        given = ("--publishable", "--origin", "https://shop.example", "--enrols")
        ran = real.run("keys", "create", "--name", "site", *given)
        assert re.fullmatch(r"vezde_pub_[0-9a-f]{32}_[\w-]{43}\n", ran.stdout)
        said = real.run("keys", "list", COLUMNS="300").stdout
        assert "https://shop.example" in said

    def test_is_one_or_the_other(self, real: Installation) -> None:
        for given in (
            (),
            ("--publishable",),
            ("--origin", "https://shop.example"),
            ("--publishable", "--origin", "https://shop.example", "--scopes", "all"),
        ):
            ran = real.run("keys", "create", "--name", "odd", *given, code=2)
            assert ran.stdout == ""

    def test_refuses_an_origin_that_is_none(self, real: Installation) -> None:
        given = ("--publishable", "--origin", "http://shop.example")
        ran = real.run("keys", "create", "--name", "odd", *given, code=1)
        assert "must be https" in ran.stderr
