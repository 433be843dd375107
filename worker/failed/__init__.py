"""Failed messages: shown, put back, edited, removed; for the command line, HTTP and dashboards alike."""
