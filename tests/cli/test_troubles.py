from uuid import UUID

from cli.installation import Installation
from vezde.api import names


class TestTroubles:
    def test_says_when_there_are_none(self, sandbox: Installation) -> None:
        assert "Nothing was given up on" in sandbox.run("troubles", "list").stderr

    def test_wants_ids_or_a_kind(self, sandbox: Installation) -> None:
        assert "--kind" in sandbox.run("troubles", "retry", code=2).stderr
        assert "--kind" in sandbox.run("troubles", "drop", "tjb_x", "--kind", "job", code=2).stderr

    def test_says_that_there_is_no_such(self, sandbox: Installation) -> None:
        odd = names.trouble("job", UUID(int=1), UUID(int=0))
        ran = sandbox.run("troubles", "drop", odd, code=1)
        assert "There is no such trouble" in ran.stderr
