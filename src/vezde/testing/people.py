"""People of the tests. Their phones look like Russian mobiles: never send anything to them."""

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
    """The number-th synthetic phone, below a hundred million; 1 to 4 are of the people above."""
    return f"+790{number:08d}"
