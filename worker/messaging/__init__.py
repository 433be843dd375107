"""What a message is and what may be asked of others; no input or output happens here."""
