"""HTTP as it goes over the wire: a client on raw sockets, a site to ask for, and the checks as data."""
