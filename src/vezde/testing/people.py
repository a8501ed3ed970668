"""People of the tests; their phones are of a range that nobody is given."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Person:
    name: str
    phone: str
    email: str


ANNA = Person("Анна", "+79000000001", "anna@example.com")
BORIS = Person("Борис", "+79000000002", "boris@example.com")
VERA = Person("Вера", "+79000000003", "vera@example.com")
GLEB = Person("Глеб", "+79000000004", "gleb@example.com")


def phone(number: int) -> str:
    """The number-th synthetic phone, up to a hundred million."""
    return f"+790{number:08d}"
