"""What models exist, who sells them, what they cost and what they can do; each figure with its source and date."""
