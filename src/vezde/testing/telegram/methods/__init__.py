"""Methods of the Bot API, by capability: https://core.telegram.org/bots/api#available-methods."""
