#include "backends/nft/nft_elements.hpp"

#include "backends/nft/nft_element_message.hpp"
#include "backends/nft/nft_netlink.hpp"

#include <libnftnl/common.h>
#include <libnftnl/set.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

namespace lbc {
namespace {

using NftnlSet = std::unique_ptr<nftnl_set, Free<nftnl_set_free>>;
using Elements = std::unique_ptr<nftnl_set_elems_iter, Free<nftnl_set_elems_iter_destroy>>;
using Buffer = std::vector<char>;

constexpr char const* table_name = "lbc";
constexpr std::size_t largest_message = std::size_t{1} << 17; // attributes within one have 16 bits of length

/// A set of the table inet lbc for libnftnl, without elements.
NftnlSet describe(std::string const& name) {
    NftnlSet set(nftnl_set_alloc());
    if (set) {
        nftnl_set_set_str(set.get(), NFTNL_SET_TABLE, table_name);
        nftnl_set_set_str(set.get(), NFTNL_SET_NAME, name.c_str());
    }
    return set;
}

bool add(nftnl_set* set, NftRawElement const& raw) {
    auto* const element = nftnl_set_elem_alloc();
    if (element == nullptr)
        return false;
    nftnl_set_elem_add(set, element); // which owns it
    auto const put = [&](std::uint16_t attribute, void const* data, std::size_t size) {
        return nftnl_set_elem_set(element, attribute, data, static_cast<std::uint32_t>(size)) >= 0;
    };
    if (raw.ends_interval)
        nftnl_set_elem_set_u32(element, NFTNL_SET_ELEM_FLAGS, NFT_SET_ELEM_INTERVAL_END);
    return put(NFTNL_SET_ELEM_KEY, raw.key.bytes.data(), raw.key.size) &&
           (!raw.key_end || put(NFTNL_SET_ELEM_KEY_END, raw.key_end->bytes.data(), raw.key_end->size)) &&
           (!raw.mark || put(NFTNL_SET_ELEM_DATA, &raw.mark->value, sizeof raw.mark->value));
}

/// Messages of one transaction, one behind the other.
class Batch {
public:
    Batch() { append(nftnl_batch_begin(scratch(), sequence_++)); }

    /// Appends the messages that add or remove elements, as many as needed; false if memory runs out.
    bool add_elements(NftSet const& of, std::vector<NftElement> const& elements, std::uint16_t type) {
        if (elements.empty())
            return true;
        auto const set = describe(of.name);
        std::vector<NftRawElement> raw;
        for (auto const& element : elements)
            append_raw(raw, element, of);
        if (!set)
            return false;
        for (auto const& one : raw)
            if (!add(set.get(), one))
                return false;
        Elements const rest(nftnl_set_elems_iter_create(set.get()));
        if (!rest)
            return false;
        for (bool has_more = true; has_more;) {
            auto* const message =
                nftnl_nlmsg_build_hdr(scratch(), type, NFPROTO_INET, NLM_F_CREATE | NLM_F_ACK, sequence_++);
            has_more = nftnl_set_elems_nlmsg_build_payload_iter(message, rest.get()) > 0;
            append(message);
            ++acknowledged_;
        }
        return true;
    }

    /// Sends the transaction. Returns 0 if the kernel took it, else errno.
    int commit() {
        append(nftnl_batch_end(scratch(), sequence_++));
        auto const socket = open_nft_socket();
        if (!socket)
            return errno;
        int const room = static_cast<int>(std::min<std::size_t>(messages_.size() + largest_message, 1U << 30U));
        int const descriptor = mnl_socket_get_fd(socket.get());
        ::setsockopt(descriptor, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room);
        ::setsockopt(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
        if (mnl_socket_sendto(socket.get(), messages_.data(), messages_.size()) < 0)
            return errno;
        return await(descriptor);
    }

private:
    char* scratch() {
        scratch_.assign(largest_message, 0);
        return scratch_.data();
    }

    void append(nlmsghdr const* message) {
        auto const* bytes = reinterpret_cast<char const*>(message);
        messages_.insert(messages_.end(), bytes, bytes + MNL_ALIGN(message->nlmsg_len));
    }

    /// Reads without waiting: the kernel has answered every message by the time it has taken them.
    int await(int descriptor) const {
        std::size_t count = 0;
        alignas(nlmsghdr) std::array<char, largest_answer> buffer;
        for (;;) {
            auto const size = ::recv(descriptor, buffer.data(), buffer.size(), MSG_DONTWAIT);
            if (size < 0 && errno == EINTR)
                continue;
            if (size < 0)
                return errno != EAGAIN ? errno : count == acknowledged_ ? 0 : EPROTO;
            int left = static_cast<int>(size);
            for (auto const* one = reinterpret_cast<nlmsghdr const*>(buffer.data()); mnl_nlmsg_ok(one, left);
                 one = mnl_nlmsg_next(one, &left)) {
                if (one->nlmsg_type != NLMSG_ERROR || one->nlmsg_len < mnl_nlmsg_size(sizeof(nlmsgerr)))
                    continue;
                nlmsgerr said{};
                std::memcpy(&said, mnl_nlmsg_get_payload(one), sizeof said);
                if (said.error != 0)
                    return -said.error;
                ++count;
            }
        }
    }

    Buffer scratch_;
    Buffer messages_;
    std::uint32_t sequence_ = 1;
    std::size_t acknowledged_ = 0; // messages for which the kernel owes an answer
};

/// A set to read, and its elements.
struct Question {
    NftnlSet set;
    NftElementDump found;
};

/// Fills `found` with the kernel's elements. Returns 0, or errno.
int dump(Question& question) {
    return dump_nft(
        NFT_MSG_GETSETELEM, NFPROTO_INET,
        [](nlmsghdr* message, void* data) {
            nftnl_set_elems_nlmsg_build_payload(message, static_cast<Question*>(data)->set.get());
        },
        [](nlmsghdr const* message, void* data) {
            take_elements(*message, static_cast<Question*>(data)->found);
            return MNL_CB_OK;
        },
        &question);
}

} // namespace

std::expected<void, SystemError> write_nft_elements(std::span<NftElementChange const> changes) {
    constexpr std::string_view what = "cannot change the elements of the table inet lbc";
    Batch batch;
    for (auto const& change : changes)
        if (!batch.add_elements(*change.set, change.removed, NFT_MSG_DELSETELEM) ||
            !batch.add_elements(*change.set, change.added, NFT_MSG_NEWSETELEM))
            return std::unexpected(nft_error(what, ENOMEM));
    if (int const code = batch.commit(); code != 0)
        return std::unexpected(nft_error(what, code));
    return {};
}

std::expected<void, SystemError> read_nft_elements(NftSet& set) {
    constexpr std::string_view what = "cannot read the elements of the table inet lbc";
    Question question;
    int code = EINTR;
    for (int attempt = 0; code == EINTR && attempt < most_attempts; ++attempt) {
        question = {describe(set.name), {}};
        code = question.set ? dump(question) : ENOMEM;
    }
    if (code != 0)
        return std::unexpected(nft_error(what, code));
    auto& found = question.found;
    auto elements = found.has_unknown ? std::nullopt : elements_of(std::move(found.raw), set);
    if (!elements) {
        set.unknown = "with an element that lbc does not know";
        return {};
    }
    set.elements = std::move(*elements);
    return {};
}

} // namespace lbc
