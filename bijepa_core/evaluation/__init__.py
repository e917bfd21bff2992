"""What a frozen representation tells: probes, scores, baselines."""
