"""Data sets: tensors in, tensors out, one random generator a seed."""
