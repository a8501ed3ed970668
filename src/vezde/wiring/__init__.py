"""The only part that knows every domain: facts to reactions, stages, sections, adapters by name."""

from vezde.wiring.faces import doors, web
from vezde.wiring.house import House, open_house, reach
from vezde.wiring.lists import REACTIONS, SECTIONS, STEPS, TICKS, TROUBLES
from vezde.wiring.messengers import listener
from vezde.wiring.pages import Application, Scenery, built
from vezde.wiring.sandbox import CatalogInvalid, advance, furnish, reset
from vezde.wiring.stages import stages

__all__ = [
    "REACTIONS",
    "SECTIONS",
    "STEPS",
    "TICKS",
    "TROUBLES",
    "Application",
    "CatalogInvalid",
    "House",
    "Scenery",
    "advance",
    "built",
    "doors",
    "furnish",
    "listener",
    "open_house",
    "reach",
    "reset",
    "stages",
    "web",
]
