"""The subcommands of azmdr."""
