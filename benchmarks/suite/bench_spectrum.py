"""lyapunov_spectrum of one system: a small map, a small flow, chaos, and a network."""

import lyapkit as lk

CASES = {
    "rotation_map": (lambda: lk.systems.rotation_map(2.0, 0.7), {"duration": 20_000}),
    "rotation_flow": (lambda: lk.systems.rotation_flow(2.0, 0.7), {"duration": 1000.0, "dt": 0.05}),
    "lorenz63": (lambda: lk.systems.lorenz63(), {"duration": 200.0, "dt": 0.01}),
    "lorenz96": (lambda: lk.systems.lorenz96(n=40), {"duration": 20.0, "dt": 0.05}),
    "network of 16": (lambda: lk.random_network(n=16, kind="map"), {"duration": 2000}),
    "network of 128": (lambda: lk.random_network(n=128, kind="map"), {"duration": 500}),
    "gru": (lambda: lk.systems.gru_map(), {"duration": 5000}),
}


class Spectrum:
    params = list(CASES)
    param_names = ["system"]

    def setup(self, name):
        make, self.keywords = CASES[name]
        self.system = make()
        self.time_spectrum(name)  # compiles, or loads

    def time_spectrum(self, name):
        lk.lyapunov_spectrum(self.system, progress=False, **self.keywords)


class History:
    def setup(self):
        self.system = lk.systems.rotation_map(2.0, 0.7)
        self.time_history()

    def time_history(self):
        lk.lyapunov_spectrum(self.system, duration=20_000, history=True, progress=False)
