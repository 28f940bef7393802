"""What the tap says: messages, counts, a live line."""
