"""The study's second edition: fresh seeds, and for every claim the question that the paper asks."""
