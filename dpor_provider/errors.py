"""Errors whose text is for a person: what is wrong, where, and what to do next."""


class DporError(Exception):
    """The base of every error that this package raises on purpose; each argument is one line."""

    def __str__(self) -> str:
        return "\n".join(map(str, self.args))


class Invalid(DporError):
    """An argument or a piece of input is not what it must be."""


class Unavailable(DporError):
    """A registry or a platform could not be reached or read; nothing is known of its content."""


class Gone(Unavailable):
    """A subscription was cancelled, deleted or moved away; nothing can be written there now."""


class Refused(DporError):
    """The deployer lacks a role, or the record belongs to somebody else; nothing was written."""


class Conflict(DporError):
    """The live record changed after it was read; nothing was written."""
