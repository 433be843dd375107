"""Deadly messages: those in hand when workers died are watched, handled alone, or given up."""
