// Words for the parts of a rule of others that `Matches` has no field for, as iptables-save writes them where it is
// cheap. The text is clean, whatever the bytes: printable, in one line.
#pragma once

#include "backends/iptables/xt_bytes.hpp"
#include "compiler/ruleset.hpp"

#include <linux/netfilter/xt_tcpudp.h>

namespace lbc::xt {

/// Adds to `into.unknown`. `words` must be clean.
void add_unknown(Matches& into, std::string_view words);

/// Whatever has no words: "-m limit.0:0a00…", "LOG.0:04…"; "malformed:…" where not even a name is to be had.
[[nodiscard]] std::string extension_words(std::string_view before, ByteView extension);

[[nodiscard]] inline std::string_view negation(bool negated) { return negated ? "! " : ""; }

/// "21,80:81"
[[nodiscard]] std::string port_words(std::vector<PortRange> const& ranges);

/// What `-m tcp` asks of flags and options: " ! --tcp-flags SYN,RST,ACK,FIN SYN --tcp-option 8". Empty: nothing.
[[nodiscard]] std::string tcp_words(xt_tcp const& info);

/// An address under a mask, which need not be a prefix's: "10.0.0.0/8", "10.0.0.1/255.0.255.0".
[[nodiscard]] std::string address_words(Family family, std::array<std::uint8_t, 16> const& address,
                                        std::array<std::uint8_t, 16> const& mask);

/// The bytes of a mask of `length` bits.
[[nodiscard]] std::array<std::uint8_t, 16> mask_bytes(int length);
/// The length of a mask that is a prefix's.
[[nodiscard]] std::optional<int> mask_length(std::array<std::uint8_t, 16> const& mask);

} // namespace lbc::xt
