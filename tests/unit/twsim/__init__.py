"""The loopback gateway, part by part, without a socket."""
