"""The subcommands of ``azmdr`` about customers and their Azure: thin, like the command itself."""
