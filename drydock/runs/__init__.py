"""What a run leaves behind: its folder, its verdict, and the comparison of two."""
