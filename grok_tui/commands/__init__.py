"""The subcommands, a module for each thing that users do. They load what they need when they are called."""
