"""A Telegram of your own on loopback: the Bot API over HTTP, people who write to your bot, faults.

    from vezde.testing.telegram import faults
    from vezde.testing.telegram.fake import FakeTelegram

    async with FakeTelegram() as fake:
        anna = fake.user("Анна")
        await anna.send("/start")
        await anna.sees("баллы", within=2)
        fake.order(faults.too_many(3), method="sendMessage", chat=anna)

Any client of the Bot API speaks to it: `fake.base_url`, `fake.token`. The simulator under `/sim/`
does the same over HTTP, for the page of a chat and for benchmarks:
`python -m vezde.testing.telegram --port 8081`. All is in memory and bounded.

Not simulated: payments, inline mode, stickers, polls, voice and video, channels, Markdown.
"""
