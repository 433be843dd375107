"""The programs: each runs until stopped and gives an exit code; a module each, so that none brings in what only another needs."""
