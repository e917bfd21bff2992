"""What each chapter of the book runs, one module a chapter, and the records they leave."""
