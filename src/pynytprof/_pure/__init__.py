"""The tracer in pure Python: fall-back and oracle of the one in C; the twin of ext/trace.

Each module bears the name of the C file that it mirrors; `trace` says who uses whom.
"""
