"""The project and its drydock.toml, the errors that end a command, and what a person sees while it works."""
