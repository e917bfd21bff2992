"""Many futures where the truth is known (chapter 11): distance to the optimum, both ways."""
