"""The cache: HDF5 segments that survive what a cluster does to them."""

from s4tok_cache.entry import Entry, Fingerprint
from s4tok_cache.errors import CacheCorrupt, CacheError, CacheMismatch, CacheMissing, CacheUsage
from s4tok_cache.files import FileSystem
from s4tok_cache.folder import FailedEntry
from s4tok_cache.inspect import Result, examine, results
from s4tok_cache.layouts import ArraySpec, Layout
from s4tok_cache.reader import CacheReader
from s4tok_cache.sealed import Sealed, seal
from s4tok_cache.shard import Shard
from s4tok_cache.stamp import Stamp, differences
from s4tok_cache.store import Store

__all__ = [
    "ArraySpec",
    "CacheCorrupt",
    "CacheError",
    "CacheMismatch",
    "CacheMissing",
    "CacheReader",
    "CacheUsage",
    "Entry",
    "FailedEntry",
    "FileSystem",
    "Fingerprint",
    "Layout",
    "Result",
    "Sealed",
    "Shard",
    "Stamp",
    "Store",
    "differences",
    "examine",
    "results",
    "seal",
]
