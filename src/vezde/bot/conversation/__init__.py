"""The conversation, free of any messenger: events in, screens out, operations called between."""
