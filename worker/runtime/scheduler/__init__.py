"""The scheduler: of all processes one fires the schedules' ticks, and another takes over when it dies."""
