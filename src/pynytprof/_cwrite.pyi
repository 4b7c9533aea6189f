"""Chunks to a NYTProf profile, in C: the twin of `pynytprof._writer.PyWriter`."""
