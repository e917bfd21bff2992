"""The book's own code: what its chapters need that is not the method."""
