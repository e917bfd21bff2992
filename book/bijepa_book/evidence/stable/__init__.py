"""The hunt for a constraint that is both stable and precise (chapter 10)."""
