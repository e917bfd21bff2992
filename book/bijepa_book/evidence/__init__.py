"""The referee's study: every claim of the paper as data, the runs that decide it, and verdicts."""
