"""Taking: what is received of each queue, ahead of the slots, and how its settlements go back to the broker."""
