"""`python -m vezde.testing.telegram`: the fake alone, until it is told to stop."""

import argparse
import asyncio
import signal
import socket
import sys
import time
from datetime import UTC, datetime

from vezde.testing.telegram.model import TOKEN
from vezde.testing.telegram.server import Server
from vezde.testing.telegram.world import World

# Numbers of a fake that starts later are higher: its bot may remember those of an earlier life.
COUNTED_FROM = datetime(2026, 1, 1, tzinfo=UTC)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m vezde.testing.telegram", description="A fake Telegram on loopback."
    )
    parser.add_argument("--port", type=int, default=8081, help="0 takes a free one")
    parser.add_argument("--token", default=TOKEN, help="the bot's token")
    parser.add_argument("--username", default="lunaria_test_bot")
    parser.add_argument("--name", default="Лунария")
    parser.add_argument("--limits", action="store_true", help="30 messages a second, 1 in a chat")
    parser.add_argument("--quiet", action="store_true", help="do not print the address")
    given = parser.parse_args()
    world = World(max(0, int(time.time() - COUNTED_FROM.timestamp())))
    bot = world.add_bot(given.token, username=given.username, first_name=given.name)
    bot.limits.enforced = given.limits
    asyncio.run(serve(world, given.port, quiet=given.quiet))


async def serve(world: World, port: int, *, quiet: bool = False) -> None:
    """Print the address, answer until SIGINT or SIGTERM."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    listener = socket.create_server(("127.0.0.1", port), backlog=1024)
    if not quiet:
        sys.stdout.write(f"http://127.0.0.1:{listener.getsockname()[1]}\n")
        sys.stdout.flush()
    await Server(world, webhook_pause_seconds=1.0).serve(listener, stop)


if __name__ == "__main__":
    main()
