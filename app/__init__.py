"""The service under test: a small shop whose orders and stock can be audited. It never imports `drydock`."""
