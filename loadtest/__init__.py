"""The load: users of the shop, and the shapes in which they come. Locust runs it; nothing else imports it."""
