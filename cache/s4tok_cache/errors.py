"""What can be wrong with a cache, told in one sentence with the way out beside it."""

# The names say what is the matter with the cache; an "Error" behind each would add nothing.


class CacheError(Exception):
    """Say what was found and what was wanted; `hint` is the way out, where there is one."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint

    def __reduce__(self) -> tuple[type["CacheError"], tuple[str, str]]:
        """Keep the hint on the way out of a worker process."""
        return type(self), (str(self), self.hint)


class CacheUsage(CacheError):
    """The cache was asked for something that makes no sense, like shard 9 of 8."""


class CacheMissing(CacheError):
    """An entry, or a whole stage's result, is not there yet."""


class CacheMismatch(CacheError):
    """A cache was made otherwise than wanted: other parameters, another layout, another format."""


class CacheCorrupt(CacheError):
    """Bytes on disk are not what was written."""
