#!/usr/bin/python3
"""Stands in for ipvsadm 1.31 where the kernel has no IPVS: fwmark services in the JSON file that FAKE_IPVS names, and
a log of each line that -R was given. Prints, refuses and exits as the real one does: -S has no connection limits and
shows marks above 2147483647 as negative; -R goes on behind a line that the kernel refuses; comments are errors."""

import json
import os
import sys
from pathlib import Path

STATE = Path(os.environ["FAKE_IPVS"])
state = json.loads(STATE.read_text()) if STATE.exists() else {"services": {}, "daemons": {}, "log": []}
services: dict = state["services"]  # "3" or "3 -6" to {"line": ..., "reals": {address: [line, max, min]}}


def shown(key: str) -> str:
    mark, *six = key.split()
    number = int(mark)
    return " ".join([str(number - (1 << 32) if number > 0x7FFFFFFF else number), *six])


def save() -> None:
    for key, service in services.items():
        print(f"-A -f {shown(key)} {service['line']}")
        for address, (line, _, _) in service["reals"].items():
            print(f"-a -f {shown(key)} -r {address} {line}")


def listing(limits: bool) -> None:
    print("IP Virtual Server version 1.2.1 (size=4096)\nProt LocalAddress:Port Scheduler Flags")
    print("  -> RemoteAddress:Port")
    for key, service in services.items():
        print("FWM ", shown(key).replace("-6", "IPv6"), service["line"].split()[1])
        for address, (_, high, low) in service["reals"].items():
            counts = f"{high:<10} {low:<10} 0          0" if limits else "Route   1      0          0"
            print(f"  -> {address:28} {counts}")


def refused(message: str) -> int:
    print(message, file=sys.stderr)
    return 255


def service_line(command: str, key: str, words: list[str]) -> int:
    if command == "-A" and key in services:
        return refused("Service already exists")
    if command in "-E -D" and key not in services:
        return refused("No such service")
    if "nosuch" in words:
        return refused("Scheduler or persistence engine not found")
    if command == "-D":
        del services[key]
    else:
        services.setdefault(key, {"reals": {}})["line"] = " ".join(words)
    return 0


def real_line(command: str, key: str, words: list[str]) -> int:
    if key not in services:
        return refused("Service not defined")
    reals = services[key]["reals"]
    address, *rest = words[1:]
    if (command == "-a") == (address in reals):
        return refused("Destination already exists" if command == "-a" else "No such destination")
    if command == "-d":
        del reals[address]
        return 0
    limits = [0, 0]
    for place, option in enumerate(("-x", "-y")):
        if option in rest:
            at = rest.index(option)
            limits[place] = int(rest[at + 1])
            del rest[at : at + 2]
    reals[address] = [" ".join(rest), *limits]
    return 0


def execute(line: str) -> int:
    state["log"].append(line)
    command, option, mark, *words = line.split()
    if option != "-f" or not mark.isdigit():
        sys.exit(2)
    key = mark
    if words and words[0] == "-6":
        key += " -6"
        words = words[1:]
    return (service_line if command in ("-A", "-E", "-D") else real_line)(command, key, words)


def daemon(arguments: list[str]) -> int:
    verb, role, *options = arguments
    running = state["daemons"]
    if (verb == "--start-daemon") == (role in running):
        return refused("Daemon has already run" if role in running else "No daemon is running")
    state["log"].append(f"{verb} {role}")
    if verb == "--stop-daemon":
        del running[role]
    else:
        given = dict(zip(options[::2], options[1::2], strict=True))
        own = f"mcast={given['--mcast-interface']}, syncid={given['--syncid']}"
        running[role] = f"{own}, maxlen=1472, group=224.0.0.81, port=8848, ttl=1"
    return 0


def main(arguments: list[str]) -> int:
    result = 0
    if arguments == ["-Sn"]:
        save()
    elif arguments == ["-Ln", "--daemon"]:
        for role, text in state["daemons"].items():
            print(f"{role} sync daemon ({text})")
    elif arguments[0] == "-Ln":
        listing(arguments[1:] == ["--thresholds"])
    elif arguments == ["-R"]:
        for line in sys.stdin:
            if line.split():
                result = execute(line.strip())
    else:
        result = daemon(arguments)
    STATE.write_text(json.dumps(state))
    return result


sys.exit(main(sys.argv[1:]))
