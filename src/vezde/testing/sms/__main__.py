"""`python -m vezde.testing.sms`: the fake alone, until it is told to stop."""

import argparse

from vezde.testing.sms import fake


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m vezde.testing.sms", description="A fake SMS gateway on loopback."
    )
    parser.add_argument("--port", type=int, default=8082)
    fake.serve(parser.parse_args().port)


if __name__ == "__main__":
    main()
