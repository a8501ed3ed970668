from cli.installation import Installation

GOOD = "Артикул;Название;Бренд;Цена\nA-1;Крем ночной;Лунария;1 290,00\nA-2;Пенка;Лунария;690\n"
BAD = "Артикул;Название;Бренд;Цена\nA-3;Тоник;Лунария;590\n;Без артикула;Лунария;1\n"


class TestImport:
    def test_reads_a_table_in_cp1251(self, real: Installation) -> None:
        (real.folder / "good.csv").write_bytes(GOOD.encode("cp1251"))
        ran = real.run("catalog", "import", "good.csv")
        assert ran.stdout == "2 created, 0 updated, 0 unchanged, 0 invalid\n"
        ran = real.run("catalog", "import", "good.csv")
        assert ran.stdout == "0 created, 0 updated, 2 unchanged, 0 invalid\n"

    def test_imports_the_good_rows_and_names_the_others(self, real: Installation) -> None:
        (real.folder / "bad.csv").write_text(BAD)
        ran = real.run("catalog", "import", "bad.csv", code=1)
        assert "1 created, 0 updated, 0 unchanged, 1 invalid" in ran.stdout
        assert "row 3: the article (sku) is empty" in ran.stdout
        assert "The other rows are imported" in ran.stderr

    def test_replaces_the_whole_catalogue_when_asked(self, real: Installation) -> None:
        (real.folder / "one.csv").write_text("sku,name,brand\nB-1,Маска,Лунария\n")
        real.run("catalog", "import", "one.csv", "--mode", "replace")
        ran = real.run("catalog", "import", "one.csv", "--mode", "replace")
        assert "1 unchanged" in ran.stdout

    def test_says_what_it_makes_nothing_of(self, real: Installation) -> None:
        (real.folder / "odd.csv").write_text("sku,name,brand,Погода\nB-1,Маска,Лунария,снег\n")
        assert "Погода" in real.run("catalog", "import", "odd.csv").stderr
        (real.folder / "not.csv").write_text("one two\n")
        ran = real.run("catalog", "import", "not.csv", code=1)
        assert "No column of articles was found" in ran.stderr

    def test_refuses_a_file_that_is_not_there(self, real: Installation) -> None:
        real.run("catalog", "import", "nowhere.csv", code=2)
