"""Drives the client of clients/python by commands from standard input, as driver.c does that of clients/c."""

import os
import sys

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..")
sys.path.insert(0, os.path.join(ROOT, "clients", "python"))

import southbridge  # noqa: E402


def number(text):
    return int(text, 0)


def access(word):
    _, *parts = word.split(":")
    return tuple(number(part) for part in parts)


def execute(vcpu, name, words):
    numbers = [number(word) for word in words if word[0].isdigit()]
    if name == "read":
        return f"value {vcpu.read(*numbers):#x}"
    if name == "batch":
        return " ".join(["results", *(f"{value or 0:#x}" for value in vcpu.batch(map(access, words)))])
    if name == "in":
        return f"value {vcpu.port_in(*numbers):#x}"
    if name == "inta":
        return f"value {vcpu.acknowledge():#x}"
    if name == "wait":
        return "woken" if vcpu.wait(numbers[0] / 1000) else "timeout"
    if name == "step-clock":
        ns, to_deadline, *register = numbers
        stepped = vcpu.step(ns, to_deadline=bool(to_deadline), read=register or None)
        return f"stepped {stepped.time or 0} {stepped.deadline or 0} {stepped.value or 0:#x}"
    if name == "input":
        vcpu.set_input(words[0], numbers[0])
        return "ok"
    if name == "token":
        return f"token {vcpu.resume_token}"
    if name == "apic":
        vcpu.set_apic(numbers[0], words[1])
    else:
        calls = {
            "write": vcpu.write,
            "post": vcpu.post,
            "out": vcpu.port_out,
            "line": vcpu.set_line,
            "eoi": vcpu.end_of_interrupt,
            "step": vcpu.step,
            "sync": vcpu.sync,
            "reconnect": vcpu.reconnect,
        }
        calls[name](*numbers)
    return "ok"


def text_of(event):
    if isinstance(event, southbridge.Interrupt):
        flags = f"{event.level_triggered:d} {event.logical:d}"
        return f"interrupt {event.sequence} {event.vector} {event.delivery_mode} {flags} {event.destination}"
    if isinstance(event, southbridge.Intr):
        return f"intr {event.sequence} {event.level:d}"
    lines = "" if event.hpet_lines is None else f" {event.hpet_lines} {event.external_lines}"
    intr = "" if event.intr is None else f" intr {event.intr:d}"
    kind = "gap" if isinstance(event, southbridge.Gap) else "restored"
    return f"{kind} {event.first} {event.sequence}{lines}{intr}"


def main():
    url, machine, vcpu_number, token, resume_token = (sys.argv[1:] + [None, None])[:5]
    try:
        vcpu = southbridge.Vcpu(
            url,
            machine,
            vcpu_number,
            token=token or None,
            resume_token=resume_token,
            timeout=int(os.environ.get("TIMEOUT_MS", 10000)) / 1000,
            connect_timeout=int(os.environ.get("CONNECT_MS", 10000)) / 1000,
            retry=int(os.environ.get("RETRY_MS", 50)) / 1000,
            follow="NO_FOLLOW" not in os.environ,
        )
    except southbridge.RequestError as error:
        print(f"error {error.code}", flush=True)
        return
    print("open", flush=True)
    for line in sys.stdin:
        name, *words = line.split()
        try:
            answer = execute(vcpu, name, words)
        except southbridge.RequestError as error:
            answer = f"error {error.code}"
        print("\n".join([*map(text_of, vcpu.take_events()), answer]), flush=True)
    vcpu.close()


main()
