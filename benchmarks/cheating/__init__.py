"""A population of honest members and known cheats, with the receipts they show.

It knows how people shop and how people cheat, and nothing of how cheating is noticed: it imports
nothing of the product, and a test holds that.
"""
