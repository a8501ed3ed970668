import re

from cli.installation import Installation


class TestOperators:
    def test_are_taken_on_with_a_code_and_leave(self, real: Installation) -> None:
        made = real.run("operators", "create", "--name", "Olga", "--phone", "+79000000009")
        assert re.fullmatch(r"[0-9]{8}\n", made.stdout)
        fresh = real.run("operators", "code", "Olga")
        assert re.fullmatch(r"[0-9]{8}\n", fresh.stdout)
        assert "Olga" in real.run("operators", "list", COLUMNS="200").stdout
        again = real.run("operators", "create", "--name", "Olga", code=1)
        assert "take another name" in again.stderr
        real.run("operators", "leave", "Olga")
        assert "Nobody of this name" in real.run("operators", "code", "Olga", code=1).stderr
