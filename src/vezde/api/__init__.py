"""The HTTP door: the public contract, v1, on FastAPI. A module bears the name of its domain."""
