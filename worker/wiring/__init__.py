"""The composition root: settings and an application become buses, chains and workers."""
