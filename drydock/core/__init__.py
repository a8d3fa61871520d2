"""The project and its drydock.toml, the errors that end a command, and progress output."""
