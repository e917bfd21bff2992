"""Many futures: stochastic z where the truth is known, and on half images (chapter 11)."""
