"""What each name may do before the solve; after it: trade it, trim it, or leave it, and why."""
