"""Recognisers behind one contract; each foreign one is imported in one file, when asked for."""
