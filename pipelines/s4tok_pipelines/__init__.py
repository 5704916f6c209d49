"""Stages and what surrounds them: inputs, training, outputs, tables."""
