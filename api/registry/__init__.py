"""The registry at the command line and over HTTP: bodies, lists, screens and what both doors share."""
