"""The targets of a drill: the service with its database, on kind or on this machine, and every action on them."""
