// Any bytes as a site file. What is free of errors is emitted in every form, and each text is what its reader takes:
// lines that fit into its buffer, no control characters, blocks that close; rules that lbc's own readers read prove
// equal to the site; and JSON is JSON. Messages are JSON as well.
#include "backends/apply/self_check.hpp"
#include "backends/emit/firewall.hpp"
#include "backends/emit/ipvsadm.hpp"
#include "backends/emit/json/json.hpp"
#include "backends/emit/sh/sh.hpp"
#include "backends/emit/unsupported.hpp"
#include "backends/keepalived/keepalived.hpp"
#include "backends/nft/nft.hpp"
#include "backends/restore/restore.hpp"
#include "cli/input/message_json.hpp"
#include "cli/output/output_tree.hpp"
#include "cli/output/real_hosts.hpp"
#include "cli/report/layout_table.hpp"
#include "tests/fuzz/support.hpp"

#include <cstdint>
#include <limits>

namespace {

using namespace lbc; // NOLINT(google-build-using-namespace): a program of its own
using fuzz::require;

constexpr std::size_t any_length = std::numeric_limits<std::size_t>::max();
/// iptables-restore reads lines by fgets(3) of 10,240 bytes (iptables-restore.c), keepalived of 1,024 (parser.h).
constexpr std::size_t longest_restored = 10'238;
constexpr std::size_t longest_configured = 1'022;

void require_proved(SiteInput const& input, std::span<Plan const> plans, std::string_view kind,
                    std::string const& text) {
    auto const proved = prove_text(input.site, plans, input.layout, kind, text);
    require(proved.has_value(), proved ? "" : proved.error(), text);
}

void emit_marks(SiteInput const& input, Plan const& plan) {
    auto const& name = input.site[plan.director].name.value;
    for (auto const family : families) {
        auto const text = restore_text(input.layout(input.site, plan.marks, family), {.director = name});
        fuzz::require_lines(text, "a line fits into iptables-restore's buffer", longest_restored);
        require_proved(input, {&plan, 1}, family == Family::ipv4 ? "iptables" : "ip6tables", text);
    }
}

/// Each `{` of a line's end has its `}`.
void require_blocks(std::string_view text) {
    int depth = 0;
    while (!text.empty()) {
        auto const line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(line.size() + 1, text.size()));
        auto const first = line.find_first_not_of(' ');
        if (first == std::string_view::npos || line[first] == '#')
            continue;
        depth += line.ends_with(" {") ? 1 : 0;
        depth -= line == "}" || line.ends_with(" }") ? 1 : 0;
        require(depth >= 0, "no block closes that is not open", line);
    }
    require(depth == 0, "every block closes");
}

void emit_of_director(SiteInput const& input, Plan const& plan) {
    auto const& site = input.site;
    auto const& name = site[plan.director].name.value;
    auto const nft = nft_text(site, plan.marks, name);
    fuzz::require_lines(nft, "nft", any_length);
    require_proved(input, {&plan, 1}, "nft", nft);
    fuzz::require_lines(ipvsadm_text(site, plan), "ipvsadm", any_length);
    for (auto const family : families)
        if (needs_firewall(site, plan, family))
            fuzz::require_lines(firewall_text(site, plan, family), "the firewall's rules fit", longest_restored);
    if (needs_keepalived(site, plan.director)) {
        auto const text = keepalived_text(site, {&plan, 1});
        fuzz::require_lines(text, "a line fits into keepalived's buffer", longest_configured);
        require_blocks(text);
    }
}

void emit_of_real_servers(Site const& site) {
    auto const hosts = choose_real_hosts(site, {});
    if (!hosts || hosts->empty())
        return;
    fuzz::require_lines(realserver_script(*hosts), "realserver", any_length);
    fuzz::require_lines(ifupdown_text(merge(*hosts)), "ifupdown", any_length);
    std::string list(manifest_header);
    for (auto const& host : *hosts) {
        fuzz::require_lines(ifupdown_text(host), "ifupdown", any_length);
        for (auto const& [file, text] : networkd_files(host)) {
            fuzz::require_lines(text, "networkd", any_length);
            list += "real/" + host.name + "/networkd/" + file + '\n';
        }
    }
    require(parse_manifest(list).has_value(), "lbc's own files can stand in its list", list);
}

void emit(SiteInput& input) {
    auto const& site = input.site;
    std::vector<Plan> plans;
    for (std::size_t i = 0; i < site.directors.size(); ++i)
        plans.push_back(make_plan(site, {i}));
    for (auto const& [name, layout] : layouts) {
        input.layout = layout;
        for (auto const& plan : plans)
            emit_marks(input, plan);
        if (plans.empty())
            continue;
        auto const script = sh_script(site, plans, layout);
        fuzz::require_lines(script, "a line of the script fits into iptables-restore's buffer", longest_restored);
        require_proved(input, plans, "sh", script);
    }
    input.layout = layout_auto;
    for (auto const& plan : plans)
        emit_of_director(input, plan);
    emit_of_real_servers(site);
    if (plans.empty())
        return;
    fuzz::require_lines(sh_script(site, plans, layout_auto, MarkTool::nft), "the script of nft", any_length);
    auto const configuration = keepalived_text(site, plans);
    fuzz::require_lines(configuration, "a line fits into keepalived's buffer", longest_configured);
    require_blocks(configuration);
    static_cast<void>(layout_table(input, plans));
    fuzz::require_json(json_text(site, input.sources, plans, layout_auto));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    std::string const text(data, data + size);
    auto const input = fuzz::read_site(text);
    bool const is_emitted = input->good() && fuzz::is_small(input->site);
    if (is_emitted) {
        for (auto const output : {Output::marks, Output::ipvsadm, Output::sh, Output::apply, Output::keepalived,
                                  Output::realserver, Output::networkd})
            report_unsupported(input->site, output, input->diagnostics);
        report_nft_limits(input->site, input->diagnostics);
        require(input->good(), "limits are warnings");
        emit(*input);
    }
    for (auto const& gathered : input->diagnostics.gathered())
        fuzz::require_json(message_json(input->sources, gathered));
    return 0;
}
