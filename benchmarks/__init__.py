"""Benchmarks: `bijepa_core` beside a plain reference loop, as ratios measured in one run."""
