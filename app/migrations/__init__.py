"""The schema, revision by revision. Expand first, contract a release later: old pods run against the new schema."""
