"""The toy world written in the real datasets' own layouts, so that readers and people can see the formats."""

from s4tok.synthetic.layouts.table import LAYOUTS, write

__all__ = ["LAYOUTS", "write"]
