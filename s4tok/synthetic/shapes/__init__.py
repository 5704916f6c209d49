"""The categories of objects, one function each."""
