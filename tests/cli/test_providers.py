from cli.installation import Installation


class TestProviders:
    def test_are_listed_limited_paused_and_resumed(self, sandbox: Installation) -> None:
        assert "documents" in sandbox.run("providers", "list").stdout
        said = sandbox.run("providers", "set", "documents", "--asks", "5", "--price", "10").stderr
        assert "documents: works." in said
        assert "of 5" in sandbox.run("providers", "list").stdout
        said = sandbox.run("providers", "pause", "documents", "--note", "moving").stderr
        assert "paused (operator): moving" in said
        assert "works" in sandbox.run("providers", "resume", "documents").stderr
        sandbox.run("providers", "set", "documents", "--asks", "none")

    def test_says_what_is_wrong(self, sandbox: Installation) -> None:
        assert "--price" in sandbox.run("providers", "set", "documents", code=2).stderr
        assert (
            "whole number"
            in sandbox.run("providers", "set", "documents", "--asks", "many", code=2).stderr
        )
        assert "no such provider" in sandbox.run("providers", "resume", "nobody", code=1).stderr
