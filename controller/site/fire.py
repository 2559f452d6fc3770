"""The building's fire alarm, where it is wired: nobody is kept here, and nothing opens."""


class Fire:
    """Whoever follows the contacts says so; every kiosk and every movement asks."""

    def __init__(self) -> None:
        self.on = False
