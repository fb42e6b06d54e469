class Impossible(Exception):
    """Why real engines can't be measured here."""
def launch(quick):
    raise Impossible("x")
burst = launch
