#include "backends/ipset/ipset_kernel.hpp"

#include "backends/ipset/ipset_message.hpp"
#include "grammar/utf8.hpp"

#include <fmt/format.h>

#include <netlink/handlers.h>
#include <netlink/netlink.h>
#include <unistd.h>

#include <linux/netfilter/ipset/ip_set.h>
#include <linux/netfilter/nfnetlink.h>

#include <algorithm>
#include <cerrno>
#include <functional>
#include <utility>

namespace lbc {
namespace {

using Kind = SystemError::Kind;
using Fill = std::function<bool(nl_msg*)>;
using Visit = std::function<void(nlattr*, int)>;

std::string reason(int code) {
    switch (code) {
    case IPSET_ERR_FIND_TYPE: return "the kernel has no type hash:ip,port with skbinfo (module ip_set_hash_ipport)";
    case IPSET_ERR_MAX_SETS: return "there are as many sets as the kernel takes";
    case IPSET_ERR_BUSY:
    case IPSET_ERR_REFERENCED: return "a rule, or a set of sets, uses it";
    case IPSET_ERR_TYPE_MISMATCH:
    case IPSET_ERR_EXIST: return "a set with this name is of another kind; `ipset destroy` takes it off";
    case EINVAL: return "the kernel has no sets (module ip_set)";
    default: return code > IPSET_ERR_PRIVATE ? fmt::format("ipset's error {}", code) : std::strerror(code);
    }
}

SystemError error_of(std::string_view verb, std::string_view what, int code) {
    bool const is_forbidden = code == EPERM || code == EACCES;
    bool const is_missing = code == IPSET_ERR_FIND_TYPE || code == EINVAL;
    return {is_forbidden ? Kind::permission : (is_missing ? Kind::unsupported : Kind::failed), code,
            fmt::format("cannot {} {}: {}{}", verb, what, reason(code),
                        is_forbidden ? "; lbc needs CAP_NET_ADMIN, as root has it in this network namespace" : "")};
}

/// Whether the kernel has loaded sets. A message to a missing subsystem would make it load one.
bool has_sets() { return ::access("/sys/module/ip_set", F_OK) == 0; }

class IpsetSocket {
public:
    [[nodiscard]] static std::expected<IpsetSocket, int> open() {
        IpsetSocket opened{NlSocket(nl_socket_alloc()), NlMessage(nlmsg_alloc_size(ipset_message_size))};
        if (!opened.socket_ || !opened.message_)
            return std::unexpected(ENOMEM);
        if (nl_connect(opened.socket_.get(), NETLINK_NETFILTER) < 0)
            return std::unexpected(errno == 0 ? EIO : errno);
        return opened;
    }

    /// Sends a request and reads its answers to the last. The error is errno, or one of ipset's own.
    [[nodiscard]] std::expected<void, int> ask(int command, int flags, Family family, Fill const& fill,
                                               Visit const& visit = {}) {
        auto* head = nlmsg_hdr(message_.get());
        *head = {NLMSG_HDRLEN, 0, 0, 0, 0}; // empties the one message in which all requests are built
        head->nlmsg_type = static_cast<std::uint16_t>(NFNL_SUBSYS_IPSET << 8 | command);
        head->nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
        nfgenmsg const netfilter{static_cast<std::uint8_t>(family == Family::ipv4 ? AF_INET : AF_INET6), NFNETLINK_V0,
                                 0};
        if (nlmsg_append(message_.get(), const_cast<nfgenmsg*>(&netfilter), sizeof netfilter, NLMSG_ALIGNTO) < 0 ||
            !fill(message_.get())) {
            return std::unexpected(EMSGSIZE);
        }
        Answers answers{visit};
        if (nl_send_auto(socket_.get(), message_.get()) < 0)
            return std::unexpected(errno == 0 ? EIO : errno);
        answers.listen(socket_.get());
        while (!answers.done)
            if (int const received = nl_recvmsgs_default(socket_.get()); received < 0 && !answers.done)
                return std::unexpected(errno == 0 ? EIO : errno);
        return answers.code == 0 ? std::expected<void, int>{} : std::unexpected(answers.code);
    }

private:
    struct Answers {
        Visit const& visit;
        bool done = false;
        int code = 0;

        void listen(nl_sock* socket) {
            nl_socket_modify_cb(socket, NL_CB_VALID, NL_CB_CUSTOM, on_message, this);
            nl_socket_modify_cb(socket, NL_CB_FINISH, NL_CB_CUSTOM, on_end, this);
            nl_socket_modify_cb(socket, NL_CB_ACK, NL_CB_CUSTOM, on_end, this);
            nl_socket_modify_err_cb(socket, NL_CB_CUSTOM, on_error, this);
        }
        static int on_message(nl_msg* message, void* self) {
            auto* head = nlmsg_hdr(message);
            auto const& use = static_cast<Answers*>(self)->visit;
            if (use && nlmsg_valid_hdr(head, sizeof(nfgenmsg)) != 0)
                use(nlmsg_attrdata(head, sizeof(nfgenmsg)), nlmsg_attrlen(head, sizeof(nfgenmsg)));
            return NL_OK;
        }
        static int on_end(nl_msg* /*message*/, void* self) {
            static_cast<Answers*>(self)->done = true;
            return NL_STOP;
        }
        static int on_error(sockaddr_nl* /*from*/, nlmsgerr* error, void* self) {
            auto& answers = *static_cast<Answers*>(self);
            answers.done = true;
            answers.code = error->error < 0 ? -error->error : EIO;
            return NL_STOP;
        }
    };

    IpsetSocket(NlSocket socket, NlMessage message) : socket_(std::move(socket)), message_(std::move(message)) {}

    NlSocket socket_;
    NlMessage message_;
};

std::expected<std::vector<std::string>, int> own_names(IpsetSocket& socket, Family family) {
    std::vector<std::string> names;
    auto const listed =
        socket.ask(IPSET_CMD_LIST, NLM_F_DUMP, family, put_names_request, [&](nlattr* attributes, int length) {
            if (auto name = name_in(attributes, length); is_own_set(name, family))
                names.push_back(std::move(name));
        });
    if (!listed)
        return std::unexpected(listed.error());
    std::ranges::sort(names);
    names.erase(std::ranges::unique(names).begin(), names.end());
    return names;
}

std::expected<std::vector<MarkSet>, int> own_sets(IpsetSocket& socket, Family family) {
    auto names = own_names(socket, family);
    if (!names)
        return std::unexpected(names.error());
    std::vector<MarkSet> sets;
    for (auto& name : *names) {
        MarkSet set{std::move(name), {}};
        auto const listed = socket.ask(
            IPSET_CMD_LIST, NLM_F_DUMP, family, [&](nl_msg* message) { return put_set(message, set.name); },
            [&](nlattr* attributes, int length) { add_entries_in(attributes, length, family, set.entries); });
        if (!listed && listed.error() == ENOENT)
            continue; // it was removed since
        if (!listed)
            return std::unexpected(listed.error());
        std::ranges::sort(set.entries);
        sets.push_back(std::move(set));
    }
    return sets;
}

/// Creates a set under `name` with the entries of `set`. EEXIST if a set has that name.
std::expected<void, int> fill(IpsetSocket& socket, std::string const& name, MarkSet const& set, Family family) {
    auto const create = [&](nl_msg* message) {
        return put_new_set(message, name, family, size_of_set(set.entries.size()));
    };
    auto done = socket.ask(IPSET_CMD_CREATE, NLM_F_CREATE | NLM_F_EXCL, family, create);
    for (std::size_t i = 0; done && i < set.entries.size(); i += most_entries_at_once) {
        auto const part = std::span(set.entries).subspan(i, std::min(most_entries_at_once, set.entries.size() - i));
        done = socket.ask(IPSET_CMD_ADD, NLM_F_EXCL, family,
                          [&](nl_msg* message) { return put_entries(message, name, part); });
    }
    return done;
}

/// Destroys a set; a missing one is no error.
std::expected<void, int> destroy(IpsetSocket& socket, std::string const& name) {
    auto done = socket.ask(IPSET_CMD_DESTROY, 0, Family::ipv4, [&](nl_msg* message) { return put_set(message, name); });
    return done || done.error() == ENOENT ? std::expected<void, int>{} : done;
}

std::expected<void, int> write(IpsetSocket& socket, MarkSet const& set) {
    auto const family = set.entries.front().address.family();
    auto const spare = spare_set_name(set.name);
    (void)destroy(socket, spare); // residue of an interrupted change
    auto done = fill(socket, set.name, set, family);
    if (!done && done.error() == EEXIST) {
        done = fill(socket, spare, set, family);
        if (done) {
            done = socket.ask(IPSET_CMD_SWAP, 0, family,
                              [&](nl_msg* message) { return put_sets(message, set.name, spare); });
        }
        (void)destroy(socket, spare);
    } else if (!done) {
        (void)destroy(socket, set.name);
    }
    return done;
}

/// Calls `use` with a socket. An error becomes "cannot VERB WHAT".
template <typename Use>
auto with_socket(std::string_view verb, std::string_view what, Use use)
    -> std::expected<typename std::invoke_result_t<Use, IpsetSocket&>::value_type, SystemError> {
    auto socket = IpsetSocket::open();
    if (!socket)
        return std::unexpected(error_of(verb, what, socket.error()));
    auto done = use(*socket);
    if (!done)
        return std::unexpected(error_of(verb, what, done.error()));
    if constexpr (std::is_void_v<typename decltype(done)::value_type>)
        return {};
    else
        return std::move(*done);
}

} // namespace

std::expected<std::vector<MarkSet>, SystemError> read_ipset_sets(Family family) {
    if (!has_sets())
        return {};
    return with_socket("read", "the kernel's sets", [&](IpsetSocket& socket) { return own_sets(socket, family); });
}

std::expected<void, SystemError> write_ipset_set(MarkSet const& set) {
    return with_socket("write", fmt::format("the set {}", set.name),
                       [&](IpsetSocket& socket) { return write(socket, set); });
}

std::expected<std::size_t, SystemError> count_ipset_uses(std::string const& name) {
    if (!has_sets())
        return 0;
    return with_socket("read", fmt::format("the set {}", printable(name)),
                       [&](IpsetSocket& socket) -> std::expected<std::size_t, int> {
                           std::size_t uses = 0;
                           auto const listed = socket.ask(
                               IPSET_CMD_LIST, NLM_F_DUMP, Family::ipv4,
                               [&](nl_msg* message) { return put_head_request(message, name); },
                               [&](nlattr* attributes, int length) { uses += uses_in(attributes, length); });
                           if (!listed && listed.error() != ENOENT)
                               return std::unexpected(listed.error());
                           return uses;
                       });
}

std::expected<void, SystemError> destroy_ipset_set(std::string const& name) {
    return with_socket("destroy", fmt::format("the set {}", printable(name)),
                       [&](IpsetSocket& socket) { return destroy(socket, name); });
}

} // namespace lbc
