"""What can be wrong with the embedded server, each with what to do about it."""

from vezde.kit.errors import DomainError, Kind


class AlreadyRunning(DomainError):
    """Another process serves this folder; `extra` holds its pid and addresses."""

    code = "already_running"
    kind = Kind.CONFLICT


class FolderRefused(DomainError):
    """The folder cannot hold a database, or holds one that this process must not serve."""

    code = "data_folder_refused"
    kind = Kind.REFUSED


class ServerFailed(DomainError):
    """PostgreSQL does not start; the sentence ends with its own last words."""

    code = "postgres_failed"
    kind = Kind.UNAVAILABLE


class PortTaken(ServerFailed):
    """Somebody else listens on the port this folder keeps."""

    code = "postgres_port_taken"
