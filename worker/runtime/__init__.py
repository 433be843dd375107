"""The consumer process: receive, dispatch, settle, until stopped."""
