"""Declared format to 16 kHz mono samples, as the bytes arrive."""
