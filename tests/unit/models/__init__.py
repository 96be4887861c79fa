"""Models of the user's: opened, asked, contained."""
