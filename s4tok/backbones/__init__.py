"""Transformers that read tokens."""
