"""A profiled run: settings, target, session, processes, exits, messages."""
