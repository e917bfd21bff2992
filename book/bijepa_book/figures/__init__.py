"""Figures, one module a subject. Each function takes results, draws one figure and returns it."""
