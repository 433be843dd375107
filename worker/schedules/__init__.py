"""Schedules: when they send. Pure rules that know neither messages nor databases."""
