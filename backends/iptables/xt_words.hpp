// Text for the parts of a foreign rule that `Matches` cannot represent, in the form of iptables-save if that is cheap.
// The text is printable and on one line, whatever the bytes are.
#pragma once

#include "backends/iptables/xt_bytes.hpp"
#include "compiler/rules/ruleset.hpp"

#include <linux/netfilter/xt_tcpudp.h>

namespace lbc::xt {

/// Adds to `into.unknown`. `words` must be printable and on one line.
void add_unknown(Matches& into, std::string_view words);

/// An extension that lbc cannot represent: "-m limit.0:0a00…", "LOG.0:04…"; "malformed:…" if even its name is missing.
[[nodiscard]] std::string extension_words(std::string_view before, ByteView extension);

[[nodiscard]] inline std::string_view negation(bool negated) { return negated ? "! " : ""; }

/// "21,80:81"
[[nodiscard]] std::string port_words(std::vector<PortRange> const& ranges);

/// The flags and options that `-m tcp` matches: " ! --tcp-flags SYN,RST,ACK,FIN SYN --tcp-option 8". Empty if it
/// matches none.
[[nodiscard]] std::string tcp_words(xt_tcp const& info);

/// An address with its mask, which need not be that of a prefix: "10.0.0.0/8", "10.0.0.1/255.0.255.0".
[[nodiscard]] std::string address_words(Family family, std::array<std::uint8_t, 16> const& address,
                                        std::array<std::uint8_t, 16> const& mask);

/// The bytes of a mask of `length` bits.
[[nodiscard]] std::array<std::uint8_t, 16> mask_bytes(int length);
/// The length of a prefix mask; none for another mask.
[[nodiscard]] std::optional<int> mask_length(std::array<std::uint8_t, 16> const& mask);

} // namespace lbc::xt
