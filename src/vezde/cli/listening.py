"""The port of the HTTP face."""

import errno
import socket

from vezde.kit.errors import DomainError, Kind
from vezde.settings import Http

BACKLOG = 2048


class CannotListen(DomainError):
    """The address or the port is not to be had."""

    code = "cannot_listen"
    kind = Kind.REFUSED


def listen(http: Http, *, beside_others: bool = False) -> socket.socket:
    """A socket that listens there; raises `CannotListen` with what to set instead.

    `beside_others`: other processes of this installation listen there, too, and the kernel deals
    connections out among them. Whoever does not say so finds the port taken.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(
            http.host, http.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        return socket.create_server(
            address[:2], family=family, backlog=BACKLOG, reuse_port=beside_others
        )
    except OSError as error:
        raise CannotListen(_why(http, error)) from error


def free_port() -> int:
    """A loopback port that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def _why(http: Http, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"Port {http.port} of {http.host} is taken by another program. Stop that one, or set "
            "VEZDE_HTTP_PORT to a free port."
        )
    if error.errno == errno.EACCES:
        return (
            f"This user may not listen on port {http.port}. Set VEZDE_HTTP_PORT to one above 1023, "
            "and put a web server before it."
        )
    return (
        f"{http.host} is no address of this machine ({error.strerror}). Set VEZDE_HTTP_HOST to "
        "one; 127.0.0.1 is for this machine alone."
    )
