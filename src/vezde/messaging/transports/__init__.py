"""Messengers, each in a folder of its own; wiring alone knows which there are."""
