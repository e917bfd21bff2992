"""The paper's own runs and tables."""
