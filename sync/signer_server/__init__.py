"""The reference server of the Sync API: for demo, tests and a province's trial; not part of the client."""
