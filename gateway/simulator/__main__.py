"""`python -m gateway.simulator`: the simulated providers alone."""

from gateway.simulator.run import command

if __name__ == "__main__":
    command()
