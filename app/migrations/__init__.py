"""The schema's revisions. Expand first, contract a release later: old pods run against the new schema."""
