"""The main loop of a small emulator in Python, with the client in clients/python: a periodic HPET timer interrupts vCPU 1
by way of the IOAPIC.

    python3 examples/emulator_loop.py http://127.0.0.1:8080
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "clients", "python"))

from southbridge import Interrupt, Vcpu  # noqa: E402

HPET = 0xFED00000
IOAPIC = 0xFEC00000
VCPU = 1
VECTOR = 0x41
PIN = 20
TICKS = 5
#: Of the main counter, 10 ns each with the default period.
PERIOD = 500_000

# Bits of a timer's configuration register.
INTERRUPT_ENABLE = 1 << 2
PERIODIC = 1 << 3
VALUE_SET = 1 << 6


def program(vcpu):
    """Timer 2, periodic and edge-triggered, to pin 20; its redirection entry: edge, fixed, to this vCPU's APIC."""
    vcpu.write(IOAPIC, 4, 0x11 + 2 * PIN)
    vcpu.write(IOAPIC + 0x10, 4, VCPU << 24)
    vcpu.write(IOAPIC, 4, 0x10 + 2 * PIN)
    vcpu.write(IOAPIC + 0x10, 4, VECTOR)
    vcpu.write(HPET + 0x140, 8, PIN << 9 | VALUE_SET | PERIODIC | INTERRUPT_ENABLE)
    start = vcpu.read(HPET + 0x0F0, 8)
    # The first write after VALUE_SET is the comparator, the second the period.
    vcpu.write(HPET + 0x148, 8, start + PERIOD)
    vcpu.write(HPET + 0x148, 8, PERIOD)
    vcpu.write(HPET + 0x010, 8, 1)


def main():
    url = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8080"
    with Vcpu(url, "default", VCPU) as vcpu:
        program(vcpu)
        tick = 0
        while tick < TICKS:
            vcpu.wait()  # HLT
            for event in vcpu.take_events():
                if isinstance(event, Interrupt) and tick < TICKS:
                    tick += 1
                    print(f"tick {tick}: vector {event.vector:#x}, main counter {vcpu.read(HPET + 0x0F0, 8)}")
        vcpu.write(HPET + 0x140, 8, 0)


if __name__ == "__main__":
    main()
