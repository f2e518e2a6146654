"""What `nft -j list` prints, in an order that hangs on nothing but what is there."""

from __future__ import annotations

import json


def _ordered(value: object) -> object:
    """Elements of a hash come in any order, and handles count what was made before."""
    if isinstance(value, dict):
        return {key: sorted(map(json.dumps, item)) if key in ("elem", "set") and isinstance(item, list) else
                _ordered(item) for key, item in value.items() if key != "handle"}
    if isinstance(value, list):
        return [_ordered(item) for item in value if not (isinstance(item, dict) and "metainfo" in item)]
    return value


def ordered(text: str) -> list[str]:
    """What stays comes before what is new, so only the order of rules counts."""
    parts = _ordered(json.loads(text)["nftables"])
    rules = [json.dumps(part) for part in parts if "rule" in part]
    by_chain = sorted(rules, key=lambda rule: json.loads(rule)["rule"]["chain"])
    return sorted(json.dumps(part) for part in parts if "rule" not in part) + by_chain
