"""The tracer in pure Python: fall-back and oracle of the one in C (ext/trace)."""
