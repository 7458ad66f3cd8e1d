"""The crew: in the memory of the process, as a small station's list may be."""

from dataclasses import dataclass


@dataclass
class Member:
    """One of the crew. slug: its place in the URL."""

    slug: str
    name: str
    role: str
    on_call: bool = False


CREW = (
    Member("agnes", "Agnes Tregenza", "Coxswain", on_call=True),
    Member("bram", "Bram de Wit", "Mechanic"),
    Member("ciara", "Ciara Nolan", "Navigator", on_call=True),
    Member("dafydd", "Dafydd Prosser", "Tractor driver"),
    Member("elin", "Elin Strand", "Crew"),
    Member("fergus", "Fergus Muir", "Crew"),
)
